"""What all workers import, loaded once; no client, nor anything else of a handler's, is made."""

from importlib import import_module

for name in (
    "aws_lambda_powertools.utilities.batch",
    "boto3",
    "headrace_runtime.aws.any_format",
    "headrace_runtime.aws.batch_worker",
    "headrace_runtime.aws.gpu_worker",
    "headrace_runtime.aws.intake_worker",
    "headrace_runtime.aws.part_join",
    "headrace_runtime.aws.retries",
    "headrace_runtime.aws.sweeping",
    "headrace_runtime.batch.file_formats",
    "headrace_runtime.edge.failure_log",
    "headrace_runtime.edge.gpu_messages",
    "headrace_runtime.edge.shard_messages",
    "headrace_runtime.monitoring.stdout",
    "numpy",
    "tests.chaos.worker",
):
    import_module(name)
