"""The CDK app: two stacks, one that must survive and one that may be replaced."""

import json
import os

from aws_cdk import App, DefaultStackSynthesizer, Environment, Tags
from aws_cdk.cx_api import CloudAssembly

from infra.aws.code_assets import BUILD_LAYERS
from infra.aws.service_stack import ServiceStack
from infra.aws.source_tree import ROOT
from infra.aws.stage import Stage
from infra.aws.stages import stage_named
from infra.aws.state_stack import StateStack

# Leaves sources where they are instead of copying them into the assembly.
IN_PLACE = "aws:cdk:disable-asset-staging"


def synthesise(
    outdir: str | None = None, *, stage: Stage | None = None, build_layers: bool = True
) -> CloudAssembly:
    """Write the templates of both stacks and return what was written.

    They name no account, and no region unless the stage does: where they are deployed is said by
    who deploys.

    Args:
        outdir: the folder; the CDK CLI's own, or `cdk.out`, if left out.
        stage: what is deployed; if left out, the stage of that name in `STAGES`: as
            `-c stage=prod` says, or else the variable STAGE, or else `dev`.
        build_layers: without, the same templates in seconds, and nothing to upload: the local
            cloud runs the sources themselves.

    Raises:
        ValueError: there is no stage of that name.
    """
    app = App(outdir=outdir, context=context(build_layers=build_layers), analytics_reporting=False)
    stage = stage or stage_named(app.node.try_get_context("stage") or os.environ.get("STAGE"))
    build(app, stage)
    return app.synth()


def context(*, build_layers: bool) -> dict[str, object]:
    """Return what the app is told besides its stage; see `synthesise`."""
    # The CDK CLI hands cdk.json's context over; run without it, the templates are to be the same.
    told: dict[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return told if build_layers else told | {BUILD_LAYERS: False, IN_PLACE: True}


def build(app: App, stage: Stage) -> None:
    """Put both stacks of *stage* into *app*."""
    where = Environment(region=stage.region)
    state = StateStack(
        app, f"Headrace{stage.title}State", stage=stage, env=where, synthesizer=_synthesizer()
    )
    ServiceStack(
        app,
        f"Headrace{stage.title}Service",
        stage=stage,
        state=state,
        env=where,
        synthesizer=_synthesizer(),
    )
    Tags.of(app).add("application", "headrace")
    Tags.of(app).add("stage", stage.name)


def _synthesizer() -> DefaultStackSynthesizer:
    # The CDK CLI itself checks that the account is bootstrapped.
    return DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
