"""Lambda, played by one process: messages are received, handlers called, what succeeded deleted.

The handlers are the very ones, imported as Lambda imports them, with their settings in the
environment. What they assume of AWS's times and sizes is shortened in this process only, before
the first event: a run has 8 s and not 15 minutes, a lease outlives it by half a second, what failed
comes again within seconds; blocks, shards and parts of uploads are kilobytes, so that small files
have several; a file is cut for eight blocks, and not for a minute, before what is left of it waits
for another message. A shard may be begun eight times and not three: here a worker is killed every
few seconds, which on AWS would be a model or a file that kills it.
"""

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import parent_process
from pathlib import Path
from random import Random
from typing import Any

import botocore.endpoint

from headrace_runtime.batch.clock import Slice
from tests.chaos.faults import Faults
from tests.chaos.gauges import Gauge, Gauges

_BUDGET_S = 8.0  # of one invocation, of which Lambda gives 900
SWEEP_BUDGET_S = 60.0  # of its 240: moto lists a full inbox many times as slowly as S3
TRIES = 8
_IDLE_S = 0.1

_BLOCKS_AT_ONCE = 8  # of a file that is cut: two shards or more

# By name, wherever a module of ours has it.
_SHORTENED: dict[str, Any] = {
    "_NEEDED_S": 1.0,
    "_LEASE_MARGIN_S": 0.5,
    "ENDING_S": 1.0,
    "_ENOUGH_S": 1.0,
    "_AMPLE_S": 5.0,
    "_REPORT_S": 0.2,
    "_FIRST_S": 1,
    "_LONGEST_S": 3,
    "MAX_TRIES": TRIES,
    "BLOCK_BYTES": 4 << 10,
    "PART_BYTES": 16 << 10,
    "MIN_PIECE_BYTES": 8 << 10,
    "SMALL_COMPRESSED_BYTES": 2 << 10,
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function of ours, and the queue that feeds it; one without a queue is woken by time."""

    name: str
    queue_url: str = ""
    batch_size: int = 1
    every_s: float = 0.0
    budget_s: float = _BUDGET_S


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker works with.

    Attributes:
        environment: of the functions, by name.
        log: a file that takes what they print.
        faulty: services of which requests fail now and then.
        shortened: what is shortened beside what always is.
        rest_s: for how long a queue that was empty is not looked at.
    """

    functions: tuple[Function, ...]
    environment: dict[str, dict[str, str]]
    log: Path
    seed: int
    faulty: tuple[str, ...] = ("dynamodb", "s3")
    shortened: dict[str, Any] = field(default_factory=dict)
    rest_s: float = 0.0


class Context:
    """What a handler knows of its invocation."""

    function_name = "chaos"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:chaos"
    aws_request_id = "request"

    def __init__(self, budget_s: float) -> None:
        self._until = time.monotonic() + budget_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until - time.monotonic()) * 1000))


def work(post: Post, gauges: Gauges) -> None:
    """Work until killed, or until nobody is left to work for."""
    _print_into(post.log)
    draw = Random(post.seed)
    handlers = {
        function: _started(function.name, post, draw, gauges) for function in post.functions
    }
    _shorten(_SHORTENED | post.shortened)
    swept_at, rested_at = 0.0, dict.fromkeys(handlers, 0.0)
    parent = parent_process()
    while parent is not None and parent.is_alive():
        worked = False
        for function in draw.sample(post.functions, len(post.functions)):
            if function.queue_url:
                if time.monotonic() < rested_at[function]:
                    continue
                busy = _polled(function, handlers[function], gauges)
                rested_at[function] = 0.0 if busy else time.monotonic() + post.rest_s
                worked |= busy
            elif time.monotonic() - swept_at > function.every_s:
                swept_at = time.monotonic()
                found = _called(function, handlers[function], {}, gauges) or {}
                gauges.add(Gauge.SWEEPS, 1)
                gauges.add(Gauge.FOUND, sum(found.values()))
                gauges.add(Gauge.FOUND_FILES, found.get("file", 0))
        if not worked:
            time.sleep(_IDLE_S)


def _print_into(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.stdout = sys.stderr = os.fdopen(os.dup(file), "w", buffering=1)


def _started(name: str, post: Post, draw: Random, gauges: Gauges) -> Any:
    os.environ |= post.environment[name]
    handler = importlib.import_module(f"functions.{name}.handler")
    for client in _clients(handler):
        if client.meta.service_model.service_name in post.faulty:
            Faults(client, draw, gauges.count)
    return handler


def _clients(handler: Any) -> Iterator[Any]:
    """Yield the clients with which a handler works, one of each service."""
    if hasattr(handler, "s3"):
        yield from (handler.dynamodb, handler.s3, handler.sqs)
        return
    names = ("sweeping", "hand_off", "settling")
    (work,) = (getattr(handler, name) for name in names if hasattr(handler, name))
    yield from (work.jobs._dynamodb, work.queue._sqs)
    if hasattr(work, "sending"):
        yield from (work.sending.bucket._s3, work.sending.endpoint._runtime)
        yield work.sending.transforms._sagemaker
    else:
        yield work.inbox._s3


def _shorten(shortened: dict[str, Any]) -> None:
    """Assign what is shortened, and let botocore wait a twentieth between its tries.

    Args:
        shortened: values by names, which modules have, or classes: `Class.name`.
    """
    modules = [m for name, m in sys.modules.items() if name.startswith("headrace_runtime.")]
    for name, short in shortened.items():
        of, _, own = name.rpartition(".")
        places = [module for module in modules if (of or own) in vars(module)]
        assert places, f"{name} is no more: what it was is as long as on AWS"
        for module in places:
            setattr(vars(module)[of] if of else module, own, short)

    Slice.goes_on = _for_some_blocks

    class Hurried:
        sleep = staticmethod(lambda seconds: time.sleep(seconds / 20))

        def __getattr__(self, name: str) -> Any:
            return getattr(time, name)

    botocore.endpoint.time = Hurried()


def _for_some_blocks(time: Any) -> bool:
    """Return what `Slice.goes_on` would after a minute, once some blocks were passed."""
    time.blocks = getattr(time, "blocks", 0) + 1
    return time.blocks < _BLOCKS_AT_ONCE and time.lasts()


def _polled(function: Function, handler: Any, gauges: Gauges) -> bool:
    """Take messages of a function's queue, if there are any, and let it work them."""
    answer = handler.sqs.receive_message(
        QueueUrl=function.queue_url,
        MaxNumberOfMessages=function.batch_size,
        AttributeNames=["All"],
    )
    records = [_record(message) for message in answer.get("Messages", [])]
    if not records:
        return False
    gauges.add(Gauge.DELIVERIES, len(records))
    result = _called(function, handler, {"Records": records}, gauges)
    if result is None:
        return True
    failed = {one["itemIdentifier"] for one in result["batchItemFailures"]}
    for record in records:
        if record["messageId"] not in failed:
            handler.sqs.delete_message(
                QueueUrl=function.queue_url, ReceiptHandle=record["receiptHandle"]
            )
    return True


def _called(function: Function, handler: Any, event: Any, gauges: Gauges) -> Any:
    """Return what a handler answers; None if it raised. One that takes too long is killed."""
    signal.setitimer(signal.ITIMER_REAL, function.budget_s)
    gauges.set(Gauge.BUSY, 1)
    try:
        return handler.lambda_handler(event, Context(function.budget_s))
    except Exception as error:
        gauges.add(Gauge.RAISED, 1)
        handler.logger.exception(type(error).__name__)
        return None
    finally:
        gauges.set(Gauge.BUSY, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:chaos",
        "awsRegion": "eu-west-1",
    }
