"""Objects that appear in a bucket, as messages for a function."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.work_queue import WorkQueue


class ObjectEvents(Construct):
    """S3 → EventBridge → *queue*: every object that is created in *bucket*.

    An event that cannot be delivered ends in the queue's own dead letters, as it came.

    Args:
        key: which keys, with `*` for any characters; any key if left out.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        queue: WorkQueue,
        key: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        detail: dict[str, object] = {"bucket": {"name": [bucket.bucket_name]}}
        if key is not None:
            detail["object"] = {"key": [{"wildcard": key}]}
        events.Rule(
            self,
            "Rule",
            event_pattern=events.EventPattern(
                source=["aws.s3"], detail_type=["Object Created"], detail=detail
            ),
            targets=[targets.SqsQueue(queue.queue, dead_letter_queue=queue.dead_letters)],
        )
