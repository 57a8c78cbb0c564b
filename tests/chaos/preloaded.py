"""What all workers import, loaded once; no client, nor anything else of a handler's, is made."""

import aws_lambda_powertools.utilities.batch
import boto3
import numpy

import headrace_runtime.aws.batch_worker
import headrace_runtime.aws.intake_worker
import headrace_runtime.aws.part_join
import headrace_runtime.aws.retries
import headrace_runtime.aws.sweeping
import headrace_runtime.batch.file_formats
import headrace_runtime.edge.failure_log
import headrace_runtime.edge.shard_messages
import headrace_runtime.monitoring.stdout
import tests.chaos.worker  # noqa: F401
