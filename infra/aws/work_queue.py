"""A queue that feeds one function."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction

# AWS's advice for a queue in front of Lambda: throttled deliveries must not come back meanwhile.
VISIBILITY_OVER_TIMEOUT = 6


class WorkQueue(Construct):
    """Messages for one function: retried, then set aside in a dead-letter queue.

    It stands before its function does, so that a function may know the address of the queue that
    feeds it, and put there what is left to do.

    Args:
        timeout_s: the time-out of the function. 1 to 900.
        max_receives: tries before a message is set aside. At least 5: a function that is
            scaled back or redeployed may cost a blameless message some.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, timeout_s: int, max_receives: int = 5
    ) -> None:
        super().__init__(scope, construct_id)
        self._timeout_s = timeout_s
        stack = Stack.of(self)
        # A name of its own, so that its dead letters can say that they are this queue's alone
        # without each being made of the other.
        name = f"{stack.stack_name}-{construct_id}"
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        _only_for(self.dead_letters, stack.format_arn(service="sqs", resource=name))
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            visibility_timeout=Duration.seconds(VISIBILITY_OVER_TIMEOUT * timeout_s),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=max_receives
            ),
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.DENY_ALL
            ),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )

    def feed(self, function: HeadraceFunction, *, batch_size: int, max_concurrency: int) -> None:
        """Wake *function* by messages; it answers with those that failed, the others are done.

        Args:
            function: its time-out is the queue's.
            batch_size: messages that one call gets at most. 1 to 10.
            max_concurrency: calls at a time. 2 to 1,000. It limits the polling itself, so that no
                message is taken from the queue only to be throttled, which would count as a try.

        Raises:
            ValueError: the function's time-out is another; messages would come back too early.
        """
        if function.timeout_s != self._timeout_s:
            message = f"{function.source} has {function.timeout_s} s, its queue {self._timeout_s}."
            raise ValueError(message)
        function.live.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=batch_size,
                max_concurrency=max_concurrency,
                report_batch_item_failures=True,
            )
        )


def _only_for(dead_letters: sqs.Queue, queue_arn: str) -> None:
    resource = dead_letters.node.default_child
    if not isinstance(resource, sqs.CfnQueue):
        message = f"{dead_letters.node.path} is not made of a queue."
        raise TypeError(message)
    resource.redrive_allow_policy = {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [queue_arn],
    }
