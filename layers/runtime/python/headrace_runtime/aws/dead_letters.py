"""Dead letters: messages that were tried to no avail, counted and sent back to their queues.

SQS can move them by itself, but tells nobody how far it is, and cannot mark what it moves; the
local cloud has no such call at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from headrace_runtime.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

MARK = "redriven"  # the attribute that says how often a message was sent back

_MOST_ATTRIBUTES = 10  # of a message, by SQS's rule
_AT_ONCE = 10  # messages that SQS gives
_HIDDEN_S = 60  # from others that look, while these are moved
_NEEDED_S = 5.0  # less time than this is not worth another round


@dataclass(frozen=True, slots=True)
class QueuePair:
    """A queue, and where its dead letters lie.

    Attributes:
        source, dead_letters: URLs.
    """

    source: str
    dead_letters: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Read `<URL>,<URL of its dead letters>`."""
        source, _, dead_letters = text.partition(",")
        return cls(source, dead_letters)


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a call to send messages back.

    Attributes:
        moved: how many were.
        left: how many still lie there, as far as SQS knows.
    """

    moved: int
    left: int


class DeadLetters:
    """Counts dead letters, and sends them back.

    Args:
        queues: by the names that callers use.
    """

    def __init__(self, queues: Mapping[str, QueuePair], *, sqs: "SQSClient") -> None:
        self._queues = queues
        self._sqs = sqs

    def waiting(self) -> dict[str, int]:
        """Return how many lie there, by queue, as far as SQS knows."""
        return {name: self._count(pair) for name, pair in self._queues.items()}

    def redrive(self, name: str, most: int, *, left_s: Callable[[], float]) -> Moved:
        """Send up to *most* of a queue's dead letters back to it; fewer if time runs out.

        Body and attributes stay as they are, and with them what the attributes say of the failure;
        `redriven` counts how often a message was sent back. Where this breaks off between sending
        and deleting, a message is there twice: what is in our queues may be, by design.

        Raises:
            NotFound: there is no such queue.
        """
        if name not in self._queues:
            raise NotFound(f"there is no queue {name[:80]!r}: there are {', '.join(self._queues)}")
        pair, moved = self._queues[name], 0
        while moved < most and left_s() > _NEEDED_S:
            messages = self._received(pair, min(_AT_ONCE, most - moved))
            for message in messages:
                self._send_back(pair, message)
            moved += len(messages)
            if not messages:
                break
        return Moved(moved, self._count(pair))

    def _received(self, pair: QueuePair, most: int) -> list["MessageTypeDef"]:
        answer = self._sqs.receive_message(
            QueueUrl=pair.dead_letters,
            MaxNumberOfMessages=most,
            MessageAttributeNames=["All"],
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=1,  # all of SQS's servers are asked then, not some
        )
        return answer.get("Messages", [])

    def _send_back(self, pair: QueuePair, message: "MessageTypeDef") -> None:
        self._sqs.send_message(
            QueueUrl=pair.source,
            MessageBody=message["Body"],
            MessageAttributes=_marked(message.get("MessageAttributes", {})),
        )
        self._sqs.delete_message(QueueUrl=pair.dead_letters, ReceiptHandle=message["ReceiptHandle"])

    def _count(self, pair: QueuePair) -> int:
        answer = self._sqs.get_queue_attributes(
            QueueUrl=pair.dead_letters, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def queue_pairs(text: str) -> dict[str, QueuePair]:
    """Read `<name>=<URL>,<URL of its dead letters>` for each queue, joined by spaces."""
    named = (part.partition("=") for part in text.split())
    return {name: QueuePair.of(urls) for name, _, urls in named}


def _marked(
    attributes: Mapping[str, "MessageAttributeValueOutputTypeDef"],
) -> dict[str, "MessageAttributeValueOutputTypeDef"]:
    if MARK not in attributes and len(attributes) >= _MOST_ATTRIBUTES:
        return dict(attributes)
    before = int(attributes[MARK]["StringValue"]) if MARK in attributes else 0
    return {**attributes, MARK: {"DataType": "Number", "StringValue": str(before + 1)}}
