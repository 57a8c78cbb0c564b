"""What SageMaker tells of the work that it was given."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.aws.own_event import JOB_ENDED
from infra.aws.own_names import name_prefix
from infra.aws.stage import Stage
from infra.aws.work_queue import WorkQueue


class HeavyNotices(Construct):
    """Ends of invocations (SNS) and of transform jobs (EventBridge) → *queue*, as they were told.

    And ends of our own jobs there, however they ended: what SageMaker still does of one is stopped.

    The topics are encrypted by AWS's own key, with which any role of this account may publish
    that may publish at all: SageMaker's role here, and nobody else's.

    Attributes:
        succeeded, failed: topics that SageMaker tells of invocations.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, queue: WorkQueue
    ) -> None:
        super().__init__(scope, construct_id)
        key = kms.Alias.from_alias_name(self, "Key", "alias/aws/sns")
        self.succeeded = sns.Topic(self, "GpuSucceeded", master_key=key, enforce_ssl=True)
        self.failed = sns.Topic(self, "GpuFailed", master_key=key, enforce_ssl=True)
        for topic in (self.succeeded, self.failed):
            topic.add_subscription(
                subscriptions.SqsSubscription(
                    queue.queue, raw_message_delivery=True, dead_letter_queue=queue.dead_letters
                )
            )
        events.Rule(
            self,
            "TransformEnded",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Transform Job State Change"],
                detail={
                    "TransformJobName": events.Match.prefix(f"{name_prefix(stage)}-"),
                    "TransformJobStatus": ["Completed", "Failed", "Stopped"],
                },
            ),
            targets=[targets.SqsQueue(queue.queue, dead_letter_queue=queue.dead_letters)],
        )
        events.Rule(
            self,
            "JobEnded",
            event_pattern=events.EventPattern(
                source=[JOB_ENDED.source],
                detail_type=[JOB_ENDED.kind],
                detail={"engine": events.Match.prefix("sagemaker-")},
            ),
            targets=[targets.SqsQueue(queue.queue, dead_letter_queue=queue.dead_letters)],
        )
