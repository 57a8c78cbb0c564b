"""Endpoints follow the registry: what SageMaker has becomes what aliases and jobs need.

Schedule, or messages that something moved (an alias, an endpoint) → one look at all there is →
SageMaker's models, endpoints and their scaling made or removed, and noted in the registry
(`provisioning`). What woke it is not read: an event may be lost, or come twice. One run looks at a
time (`lone_run`): another that is woken meanwhile asks it to look again, and is done.
"""

import os
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.aws.lone_run import LoneRun
from headrace_runtime.aws.provisioning import Report, provisioning_of
from headrace_runtime.aws.run_lease import RunLease
from headrace_runtime.batch.clock import Clock
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.monitoring.invocation import Invocation
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import ProvisionSettings

settings = ProvisionSettings.from_env(os.environ)
invocations = watch("provision", os.environ)
logger = Logger()
dynamodb = boto3.client("dynamodb")
provisioning = provisioning_of(
    settings,
    dynamodb=dynamodb,
    sagemaker=boto3.client("sagemaker"),
    autoscaling=boto3.client("application-autoscaling"),
    cloudwatch=boto3.client("cloudwatch"),
)
lone_run = LoneRun(provisioning, RunLease(settings.jobs_table, dynamodb=dynamodb))


def told(invocation: Invocation, report: Report) -> None:
    """Count and log what a run found in the end."""
    invocation.count("GpuSpentUsd", report.spent_usd)
    invocation.count("Endpoints", report.endpoints)
    invocation.count("EndpointsStuck", report.stuck)
    invocation.count("EndpointsFailed", len(report.failed))
    invocation.count("EndpointsWithheld", report.withheld)
    for failed in report.failed:
        logger.warning("an endpoint failed", endpoint=failed.name, reason=failed.reason)
    if report.withheld:
        logger.warning("endpoints were not made", endpoints=report.withheld, reason=report.why)


@logger.inject_lambda_context(log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[str]]:
    """Look at everything, whatever was told; no message comes again."""
    del event
    clock = Clock(lambda: datetime.now(UTC), lambda: context.get_remaining_time_in_millis() / 1000)
    with invocations.begin(context.aws_request_id) as invocation:
        reports = lone_run.reports(context.aws_request_id, clock, log_failure)
        for report in reports:
            done = {str(step): often for step, often in report.done.items()}
            logger.info("provisioned", done=done)
        if reports:
            told(invocation, reports[-1])
        else:
            logger.info("another run is at it, and looks again")
    return {"batchItemFailures": []}
