"""Messages that failed come again soon, and not only when a run that died would have ended."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headrace_runtime.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_FIRST_S, _LONGEST_S = 20, 900


class Retries:
    """Shortens the time for which a queue hides messages that were given back."""

    def __init__(self, queue_url: str, *, sqs: "SQSClient") -> None:
        self._queue_url = queue_url
        self._sqs = sqs

    def soon(self, error: Exception, receipt: str, receives: int) -> int:
        """Let a message come again, the later the more often it came; return in how many seconds.

        Where the queue does not take it, the message comes when it would have come.

        Args:
            error: what the message met. What another worker has comes again when that one's run
                must be over: a message may be received only so often.
            receipt: of the message.
            receives: how often it was received.
        """
        delay_s: int = min(_FIRST_S * 3 ** max(0, receives - 1), _LONGEST_S)
        if isinstance(error, Conflict):
            delay_s = _LONGEST_S
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt, VisibilityTimeout=delay_s
            )
        except ClientError:
            return 0
        return delay_s
