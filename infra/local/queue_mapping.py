"""An event source mapping of a queue, and the records that a function gets of its messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """What is deployed.

    Attributes:
        function: the function's name.
        window_s: how long a batch may wait to grow, in seconds.
        max_concurrency: calls at a time.
        reports_failures: whether the function answers with the messages that failed.
    """

    function: str
    queue_arn: str
    batch_size: int
    window_s: int
    max_concurrency: int
    reports_failures: bool

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.queue_arn.rpartition(":")[2]

    @classmethod
    def read(cls, configuration: Mapping[str, Any]) -> Self:
        """Read one of what `list_event_source_mappings` lists."""
        scaling = configuration.get("ScalingConfig") or {}
        return cls(
            function=configuration["FunctionArn"].split(":")[6],
            queue_arn=configuration["EventSourceArn"],
            batch_size=int(configuration.get("BatchSize", 10)),
            window_s=int(configuration.get("MaximumBatchingWindowInSeconds") or 0),
            max_concurrency=int(scaling.get("MaximumConcurrency", 1000)),
            reports_failures="ReportBatchItemFailures"
            in (configuration.get("FunctionResponseTypes") or []),
        )


def sqs_record(message: Mapping[str, Any], queue_arn: str, region: str) -> dict[str, Any]:
    """Return the record that a function gets of a received message."""
    attributes = message.get("MessageAttributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {name: _attribute(one) for name, one in attributes.items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def failed_ids(answer: Any, records: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the messages that a function reports as failed.

    An answer that is not well formed, or names a message that was not in the batch, fails the
    whole batch; an empty one fails none.
    """
    sent = {record["messageId"] for record in records}
    if not answer:
        return set()
    try:
        failed = {one["itemIdentifier"] for one in answer.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return sent
    return sent if failed - sent else failed


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stringValue": value.get("StringValue"),
        "binaryValue": value.get("BinaryValue"),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value["DataType"],
    }
