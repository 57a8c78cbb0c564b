"""A stage with all there is, synthesised and held against cdk-nag's packs.

`python -m tests.infrastructure.everything FOLDER` writes its templates and `findings.json`. A
process of its own: CDK's Node ends with it.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.aws.gpu_work import GpuWork
from infra.aws.node import use_pinned_node
from infra.aws.stage import Stage
from infra.aws.stage_parts import (
    CodeCanary,
    CustomDomain,
    ProvisionedConcurrency,
    SnapStart,
    TokenIssuer,
)
from infra.aws.stages import STAGES

if TYPE_CHECKING:
    from aws_cdk import App

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0123abcd-0000-0000-0000-00000000000a"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/our/triton:26.05"
STAGE = Stage(
    name="everything",
    region="eu-west-1",
    architecture="arm64",
    warm=SnapStart(models=("digits", "spam@3")),
    predict_disk_mb=512,
    max_model_mb=128,
    log_retention_days=90,
    log_level="WARNING",
    tracing=True,
    throttle_rate_per_s=50,
    throttle_burst=60,
    jwt=TokenIssuer(issuer="https://login.example.com/", audience="headrace"),
    cors_origins=("https://app.example.com",),
    domain=CustomDomain(
        name="predict.example.com", certificate_arn=CERTIFICATE, hosted_zone_id="Z0123456789ABC"
    ),
    inbox_days=7,
    results_days=0,
    max_concurrency=50,
    private_webhooks=True,
    alarm_email="oncall@example.com",
    monthly_budget_usd=100,
    code_canary=CodeCanary(percent=20, minutes=5),
    gpu=GpuWork(image=IMAGE),
)
# A stage with GPUs and nothing else of the kind, deployed to whichever region.
HEAVY = replace(STAGES["dev"], gpu=GpuWork())
# What the first leaves out because it excludes it.
SIGNED = Stage(
    name="signed",
    auth="iam",
    tracing=True,
    warm=ProvisionedConcurrency(sandboxes=3),
    cors_origins=("https://app.example.com",),
)


def main(folder: Path) -> None:
    """Write the templates of these stages, and what the packs find in them."""
    found = [*_checked(STAGE, folder), *_checked(SIGNED, folder / SIGNED.name)]
    _built(HEAVY, folder / "heavy").synth()
    (folder / "findings.json").write_text(json.dumps(found))


def _built(stage: Stage, folder: Path) -> "App":
    use_pinned_node()
    from aws_cdk import App  # noqa: PLC0415 - its import starts Node

    from infra.aws.app import build, context  # noqa: PLC0415

    app = App(outdir=str(folder), context=context(build_layers=False), analytics_reporting=False)
    build(app, stage)
    return app


def _checked(stage: Stage, folder: Path) -> Iterator[dict[str, str]]:
    app = _built(stage, folder)
    from aws_cdk import Validations  # noqa: PLC0415
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks  # noqa: PLC0415

    Validations.of(app).add_plugins(AwsSolutionsChecks(), ServerlessChecks())
    try:
        app.synth()
    except RuntimeError as error:  # as soon as anything is found
        if "Validation failed" not in str(error):
            raise
    report = json.loads((folder / "validation-report.json").read_text())
    for pack in report["pluginReports"]:
        for violation in pack["violations"]:
            for construct in violation["violatingConstructs"]:
                yield {"rule": violation["ruleName"], "path": construct["constructPath"]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
