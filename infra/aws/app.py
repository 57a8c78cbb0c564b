"""The CDK app: two stacks, one that must survive and one that may be replaced."""

import json

from aws_cdk import App, DefaultStackSynthesizer, Tags
from aws_cdk.cx_api import CloudAssembly

from infra.aws.layers import BUILD_LAYERS
from infra.aws.service_stack import ServiceStack
from infra.aws.source_tree import ROOT
from infra.aws.state_stack import StateStack

# Leaves sources where they are instead of copying them into the assembly.
IN_PLACE = "aws:cdk:disable-asset-staging"


def synthesise(outdir: str | None = None, *, build_layers: bool = True) -> CloudAssembly:
    """Write the templates of both stacks and return what was written.

    They name no account and no region: where they are deployed is said by who deploys.

    Args:
        outdir: the folder; the CDK CLI's own, or `cdk.out`, if left out.
        build_layers: without, the same templates in seconds, and nothing to upload: the local
            cloud runs the sources themselves.
    """
    # The CDK CLI hands cdk.json's context over; run without it, the templates are to be the same.
    context: dict[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    if not build_layers:
        context |= {BUILD_LAYERS: False, IN_PLACE: True}
    app = App(outdir=outdir, context=context, analytics_reporting=False)
    state = StateStack(app, "HeadraceState", synthesizer=_synthesizer())
    ServiceStack(app, "HeadraceService", state=state, synthesizer=_synthesizer())
    Tags.of(app).add("application", "headrace")
    return app.synth()


def _synthesizer() -> DefaultStackSynthesizer:
    # The CDK CLI itself checks that the account is bootstrapped.
    return DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
