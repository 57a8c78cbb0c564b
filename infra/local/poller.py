"""Event source mappings: messages of a queue to a function, as Lambda's own poller brings them."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore, Thread
from typing import Any

import boto3
import orjson
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.function_runtime import FunctionRuntime
from infra.local.invocation import InvocationRefused
from infra.local.queue_mapping import QueueMapping, failed_ids, sqs_record

# One receive brings that many at most.
_MAX_RECEIVE = 10
_LONG_POLL_S = 5
_RETRY_S = 1.0

_log = logging.getLogger(__name__)


class Poller:
    """Brings one queue's messages to one function until it is stopped.

    A batch is received only when the function has a call to spare, so that no message waits
    unseen while its visibility runs out. What a call handled is deleted; what it reported as
    failed, or all if the call itself failed, stays invisible until the queue shows it again.
    """

    def __init__(
        self, mapping: QueueMapping, function: FunctionRuntime, session: boto3.Session
    ) -> None:
        self._mapping = mapping
        self._function = function
        concurrency = min(mapping.max_concurrency, function.ceiling)
        self._calls = Semaphore(concurrency)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix=f"poll-{mapping.queue}")
        # A retried receive would hide messages that the first one had already taken.
        self._sqs = session.client(
            "sqs",
            config=Config(max_pool_connections=concurrency + 1, retries={"total_max_attempts": 1}),
        )
        self._url = ""
        self._region = session.region_name
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=f"poll-{mapping.queue}", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._url = self._sqs.get_queue_url(QueueName=self._mapping.queue)["QueueUrl"]
        self._thread.start()

    def stop(self) -> None:
        """Receive nothing more; calls under way are left to end with their processes."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._calls.acquire()
            messages = self._receive_batch()
            if not messages or self._stopped.is_set():
                self._calls.release()
                continue
            self._pool.submit(self._deliver, messages)

    def _receive_batch(self) -> list[dict[str, Any]]:
        size, window_s = self._mapping.batch_size, self._mapping.window_s
        messages = self._receive(min(size, _MAX_RECEIVE), _LONG_POLL_S)
        end = time.monotonic() + window_s
        while messages and len(messages) < size:
            left = end - time.monotonic()
            # Without a window AWS still takes what is there at once, up to the batch's size.
            more = self._receive(min(size - len(messages), _MAX_RECEIVE), max(0, int(left)))
            messages += more
            if left <= 0 and not more:
                break
            if not more:
                self._stopped.wait(min(0.05, max(left, 0)))
        return messages

    def _receive(self, count: int, wait_s: int) -> list[dict[str, Any]]:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait_s,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError):
            if not self._stopped.wait(_RETRY_S):
                _log.warning("could not receive from %s", self._mapping.queue, exc_info=True)
            return []
        return [dict(message) for message in answer.get("Messages", [])]

    def _deliver(self, messages: list[dict[str, Any]]) -> None:
        try:
            records = [
                sqs_record(message, self._mapping.queue_arn, self._region) for message in messages
            ]
            outcome = self._function.invoke(orjson.dumps({"Records": records}), patience_s=60.0)
            if outcome.failed:
                return
            failed = set[str]()
            if self._mapping.reports_failures:
                failed = failed_ids(json.loads(outcome.payload), records)
            self._delete([one for one in messages if one["MessageId"] not in failed])
        except InvocationRefused:  # the messages come again
            pass
        except (BotoCoreError, ClientError, ValueError):
            if not self._stopped.is_set():
                _log.warning("a batch of %s comes again", self._mapping.queue, exc_info=True)
        finally:
            self._calls.release()

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        for start in range(0, len(messages), _MAX_RECEIVE):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[start : start + _MAX_RECEIVE])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
