"""Whatever comes, in whatever order, of one job that SageMaker answers: each record once.

A machine draws what happens: messages are delivered, doubled, held back, lost; workers die at any
request to AWS, before it or after, run out of time, or are overtaken by another in their midst;
SageMaker answers, fails, forgets, answers late and twice, and tells of it rightly, or not at all;
endpoints vanish; the job is cancelled; time passes; what was lost is swept up. At the end
SageMaker does what it should, all that is left is worked, and the job must end true.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from hashlib import md5
from random import Random
from typing import Any

import boto3
import moto
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from moto.core.serialize import AttributePicker

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.aws.batch_worker import shard_work
from headrace_runtime.aws.gpu_worker import GpuWorker
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.intake_worker import intake_of
from headrace_runtime.aws.job_items import job_of, shard_of
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shard_work import MAX_TRIES
from headrace_runtime.aws.sweeping import sweeping_of
from headrace_runtime.batch.clock import Clock, Slice
from headrace_runtime.batch.file_formats import opened
from headrace_runtime.batch.handed import MAX_ROUNDS, Handed
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import PARTS
from headrace_runtime.batch.parts import one_file
from headrace_runtime.batch.shard import Shard, ShardState
from headrace_runtime.batch.source import Source
from headrace_runtime.edge.gpu_messages import asked_of_collect, asked_of_hand_off
from headrace_runtime.edge.shard_messages import asked_of_shards
from headrace_runtime.errors import Conflict, HeadraceError
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.work_settings import (
    BatchSettings,
    HeavySettings,
    IntakeSettings,
    SweepSettings,
)
from tests import onnx_models, worlds
from tests.chaos.files import Expected, _csv, _json_lines, _npy
from tests.chaos.quick_moto import look_for_kinds_of_values_by_name
from tests.conftest import CREDENTIALS, SETTINGS
from tests.integration.gpu_door import GPU, QUEUES, open_endpoint, published
from tests.integration.played_sagemaker import (
    Invocation,
    PlayedSageMaker,
    _response,
    notice,
)

WAIT_S = 900.0
KINDS = {"csv": _csv, "jsonl": _json_lines, "npy": _npy}
Message = tuple[str, dict[str, Any]]  # the queue, and what is asked
CLIENTS = ("dynamodb", "s3", "sqs", "events", "sagemaker", "sagemaker-runtime")

# What a step may be, as often as it stands here.
HAPPENINGS = (
    *("deliver_some",) * 3,
    *("deliver_one",) * 6,
    *("serve",) * 4,
    *("end_transform",) * 3,
    *("wait",) * 2,
    "tell_of_another_try",
    "trouble",
)


class Crash(BaseException):
    """A worker is killed: nothing of it reaches AWS any more."""


class Worker:
    """Clients of one worker; at one of its requests it may die, or something else comes first."""

    def __init__(self) -> None:
        self.clients = {name: boto3.DEFAULT_SESSION.client(name) for name in CLIENTS}
        self._at: tuple[int, bool] | None = None
        self._happens: Callable[[], None] = _nothing
        self._seen = 0
        for client in self.clients.values():
            client.meta.events.register("before-call", partial(self._count, after=False))
            client.meta.events.register("after-call", partial(self._count, after=True))

    @contextmanager
    def interrupted(
        self, call: int | None, happens: Callable[[], None], *, after: bool
    ) -> Iterator[None]:
        """Let something happen before, or after, a request; a death happens at all later ones."""
        self._seen, self._at = 0, None if call is None else (call, after)
        self._happens = happens
        try:
            yield
        finally:
            self._at = None

    def _count(self, *, after: bool, **_: Any) -> None:
        if self._at is None:
            return
        self._seen += not after
        if (self._seen, after) == self._at or (self._happens is _die and self._seen > self._at[0]):
            self._happens()


def _nothing() -> None:
    pass


def _die() -> None:
    raise Crash


class Functions:
    """All functions between a dropped file and its results, of one worker."""

    def __init__(self, worker: Worker, models: ModelProcess, on_failure: str) -> None:
        self.worker = worker
        all_clients = worker.clients
        clients = {name: all_clients[name] for name in ("dynamodb", "s3", "sqs", "events")}
        given = {f"{name}_queue_url": _url(name) for name in QUEUES}
        given |= {"queue_url": _url("shards"), "gpu_on_failure": on_failure, **GPU}
        given |= {"shard_bytes": 400, "batch_rows": 40}

        def settings_of(function: str, kind: Any) -> Any:
            known = vars(SETTINGS[function])
            return kind(**known | {name: value for name, value in given.items() if name in known})

        heavy = GpuWorker(
            settings=settings_of("collect", HeavySettings),
            dynamodb=clients["dynamodb"],
            s3=clients["s3"],
            sqs=clients["sqs"],
            sagemaker=all_clients["sagemaker"],
            runtime=all_clients["sagemaker-runtime"],
        )
        settling = heavy.settling(events=clients["events"], price=lambda ns: ns / 1e12)
        inbox = Inbox(s3=clients["s3"])
        work = shard_work(
            settings_of("batch", BatchSettings),
            **clients,
            price=lambda ns: ns / 1e12,
            models=models,
            opener=lambda job, wanted, of: opened(
                partial(inbox.open, job.source), job.known_content, wanted, of
            ),
            assemble=lambda _, parts: one_file(parts),
        )
        self.intake = intake_of(settings_of("intake", IntakeSettings), **clients)
        self.sweeping = sweeping_of(settings_of("sweep", SweepSettings), **clients)
        self.takes = {
            "hand_off": asked_of_hand_off(heavy.hand_off(events=clients["events"]).work),
            "collect": asked_of_collect(settling),
            "shards": asked_of_shards(work=work.work, close=work.closing.close_if_due),
        }


class Machine(RuleBasedStateMachine):
    """The world of one job."""

    models: ModelProcess
    played: PlayedSageMaker
    workers: tuple[Worker, Worker]
    sent: list[Message] = []  # noqa: RUF012 - to any queue, and not done with; all have one list
    later: list[Message] = []  # noqa: RUF012 - as above; not to be delivered yet

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.mock = moto.mock_aws()
        self.mock.start()
        worlds.make()
        self.sent.clear()
        self.later.clear()
        self.failed: set[str] = set()  # inference ids of which a failure was told
        self.outputs: set[str] = set()
        self.had = 0  # invocations that were looked at
        self.broken = 0  # workers that died or had too little time
        self.calm = True
        self.final: Job | None = None
        self.before: dict[int, Shard] = {}

    @initialize(
        kind=st.sampled_from(sorted(KINDS)),
        transform=st.booleans(),
        on_failure=st.sampled_from(["cpu", "cpu", "fail"]),
        rows=st.integers(70, 120),
        begun=st.booleans(),
        good=st.sampled_from([0.0, 0.4, 0.6, 0.9]),
    )
    def drop(
        self, kind: str, transform: bool, on_failure: str, rows: int, begun: bool, good: float
    ) -> None:
        """Drop the file, of some shards of some bodies each; they may be under way already."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.integration.gpu_door.ROWS_AT_ONCE", 15)
            patch.setattr("headrace_runtime.batch.placement._MAX_SHARDS", 1 if transform else 99)
            played = published(
                "linear", onnx_models.linear(), onnx_models.linear_signature(), listening=False
            )
            vars(self.played).update(vars(played))
            self.on_failure, self.good = on_failure, good
            self.one, self.other = (
                Functions(worker, self.models, on_failure) for worker in self.workers
            )
            body, self.expected = KINDS[kind](1, rows, Random(rows))
            self.s3, self.dynamodb = boto3.client("s3"), boto3.client("dynamodb")
            key = f"linear/rows.{kind}"
            put = self.s3.put_object(Bucket="inbox", Key=key, Body=body)
            source = Source("inbox", key, put["VersionId"], put["ETag"].strip('"'), len(body))
            job = self.one.intake.accept(source, self.now, Slice(lambda: WAIT_S))
        self.job_id = job.job_id
        assert job.placement is not None
        assert job.placement.engine == ("sagemaker-transform" if transform else "sagemaker-async")
        assert job.cut.shards > 1
        for _ in range(len(self.sent) if begun else 0):
            self._delivered(self.sent.pop(0))

    @rule(what=st.sampled_from(HAPPENINGS), luck=st.integers(0, 2**32))
    def something(self, what: str, luck: int) -> None:
        """Let something happen; where it cannot, nothing does."""
        getattr(self, f"_{what}")(Random(luck))

    def _deliver_some(self, draw: Random) -> None:
        """Deliver some messages in any order; nothing happens to those who do them."""
        for _ in range(min(draw.randint(1, 20), len(self.sent))):
            message = self.sent.pop(draw.randrange(len(self.sent)))
            self._delivered(message, hurried=draw.random() < 0.1)

    def _deliver_one(self, draw: Random) -> None:
        """Deliver a message, doubled or not, to a worker who meets something at a request.

        He dies before it is done or after, or another one does another message first, or his time
        is short. What he did not do comes again.
        """
        if not self.sent:
            return
        message = self.sent.pop(draw.randrange(len(self.sent)))
        self.sent += [message] * draw.choice((0, 0, 1, 2))
        what = draw.choice(("dies before", "dies after", "overtaken", "overtaken", "hurried"))

        def overtake() -> None:
            if draw.random() < 0.5:
                self._pass(timedelta(minutes=20))  # what he has is not his any more
            if draw.random() < 0.5 or not self.sent:
                self._done(self.other, message)
            else:
                self._done(self.other, self.sent.pop(draw.randrange(len(self.sent))))

        self.broken += what != "overtaken"
        happens = {"overtaken": overtake, "hurried": _nothing}.get(what, _die)
        with self.one.worker.interrupted(draw.randint(1, 12), happens, after=what == "dies after"):
            self._done(self.one, message, hurried=what == "hurried")
        self._look()

    def _serve(self, draw: Random) -> None:
        """Let SageMaker see to most of what waits: in any order, with any luck."""
        for invocation in draw.sample(self.played.waiting, len(self.played.waiting)):
            if draw.random() < 0.15:
                continue
            if draw.random() < 0.85:  # it is served once more otherwise, later
                self.played.waiting.remove(invocation)
            told = draw.choice((0, *(1,) * 9, 2, 2))
            if draw.random() < self.good:
                rows = 1 if draw.random() < 0.03 else None
                self._answer(invocation, told=told, rows=rows)
            else:
                self._fail(invocation, told=told, status=draw.choice(("Failed", "Expired")))

    def _answer(self, invocation: Invocation, *, told: int, rows: int | None = None) -> None:
        if invocation.input in self._staged("in/"):  # what nobody needs any more is removed
            self._tell(self.played.answer(invocation, rows=rows), told)
            self.outputs.add(invocation.output)

    def _fail(self, invocation: Invocation, *, told: int, status: str) -> None:
        self._tell(notice(invocation, status), told)

    def _tell_of_another_try(self, draw: Random) -> None:
        """Tell of a failure of bodies that nobody waits for."""
        if not self.played.taken:
            return
        told = notice(draw.choice(self.played.taken), "Failed")
        job_id, shard, _, body, _ = told["inferenceId"].split(".")
        told["inferenceId"] = f"{job_id}.{shard}.{draw.randint(1, 3)}.{body}.{draw.randint(1, 4)}"
        self.sent.append(("collect", told))

    def _end_transform(self, draw: Random) -> None:
        """Let a transform job end; it fails if one of its bodies does."""
        for name in [name for name, is_ in self.played.statuses.items() if is_ == "InProgress"]:
            self._end_one(name, 1 - self.good, draw, told=draw.choice((0, 1, 1, 2)))

    def _end_one(self, name: str, failing: float, draw: Random, *, told: int = 1) -> None:
        bodies = self.played.bodies(name)
        there = {key.removeprefix("in/") for key in self._staged("in/")}
        bad = {body for body in bodies if body not in there or draw.random() < failing}
        self.played.transform(name, failing=bad)
        self.outputs |= {f"out/{body}.out" for body in bodies if body not in bad}
        self._tell(_event(name), told)

    def _wait(self, draw: Random) -> None:
        """Let time pass, until leases end, or whatever SageMaker has; what was lost is found."""
        self._pass(timedelta(hours=draw.choice((0.1, 0.3, 0.3, 7, 25))))
        if draw.random() < 0.6:
            self._sweep()

    def _pass(self, time: timedelta) -> None:
        self.now += time
        self.sent += self.later
        self.later.clear()

    def _sweep(self) -> None:
        list(self.one.sweeping.sweep(self.now, Slice(lambda: WAIT_S), _raise))

    def _trouble(self, draw: Random) -> None:
        """Let a message be lost for good, the next body be refused, the job be cancelled..."""
        trouble = draw.choice(("lost", "ValidationError", "ThrottlingException", "gone", "back"))
        if draw.random() < 0.1:
            self._cancel()
        elif trouble == "lost" and self.sent:
            self.sent.pop(draw.randrange(len(self.sent)))
            self.calm = False
        elif trouble in ("gone", "back"):
            open_endpoint(self.played.manifest, "creating" if trouble == "gone" else "ready")
        elif trouble != "lost":
            error = ClientError({"Error": {"Code": trouble}}, "InvokeEndpointAsync")
            self.played.refused.append(error)

    def _cancel(self) -> None:
        try:
            jobs = Jobs("jobs", dynamodb=self.dynamodb)
            job = jobs.change(self.job_id, Job.asked_to_cancel)
        except Conflict:
            assert self.final
        else:
            self.sent.append(("collect", {"job_id": job.job_id, "close": True}))

    @invariant()
    def promises_are_held(self) -> None:
        """See that they are."""
        if hasattr(self, "job_id"):
            self._look()

    def _look(self) -> None:
        """Check what must hold at any time, and remember how things stand."""
        job, shards = self._stands()
        new, self.had = self.played.taken[self.had :], len(self.played.taken)
        if self.final:
            assert job == self.final, "what had ended changed"
            assert not new, "bodies of what had ended were sent"
        for one in new:
            assert one.round == 1 or one.output not in self.outputs, "an output was there"
        for shard in shards:
            before = self.before.get(shard.number, shard)
            assert shard.attempt >= before.attempt
            assert shard.parts[: len(before.parts)] == before.parts, "a part was lost"
            assert not (before.on_cpu and shard.handed), "Lambda had it back"
            if before.handed and shard.handed:
                self._look_at_rounds(before, before.handed, shard, shard.handed)
            self.before[shard.number] = shard
        self.final = job if job.state.final else None

    def _look_at_rounds(self, before: Shard, had: Handed, after: Shard, has: Handed) -> None:
        """Check that bodies are sent again only once nothing comes of those that were sent."""
        assert replace(has, **_moving(had)) == had
        assert has.round >= had.round
        if has.round == had.round:
            return
        assert after.attempt > before.attempt
        assert has.done > had.done or has.round <= MAX_ROUNDS, "it was in vain before"
        place = f"{self.job_id}.{after.number:05}.{had.attempt}"
        bodies = f"out/{self.job_id}/{after.number:05}.{had.attempt}"
        transform = f"hr-test-{self.job_id}-{had.round}"
        assert (
            had.overdue(self.now)
            or self.played.statuses.get(transform) in ("Completed", "Failed", "Stopped")
            or all(
                f"{place}.{body:05}.{had.round}" in self.failed
                or f"{bodies}/{body:05}.out" in self.outputs
                for body in range(had.bodies)
            )
        ), "bodies were asked for again that may yet be answered"

    def teardown(self) -> None:
        """Let SageMaker do its work, do all that is left; then the job must have ended true."""
        try:
            if hasattr(self, "job_id"):
                self._settle()
                self._check()
        finally:
            self.mock.stop()

    def _settle(self) -> None:
        self.played.refused.clear()
        open_endpoint(self.played.manifest)
        for _ in range(12):
            self._work_all()
            while self.played.waiting:
                self._answer(self.played.waiting.pop(), told=1)
            for name, is_ in list(self.played.statuses.items()):
                if is_ == "InProgress":
                    self._end_one(name, 0.0, Random(0))
            self._work_all()
            if self.final:
                return
            self._pass(timedelta(hours=25))
            self._sweep()
        raise AssertionError(self._stands())

    def _work_all(self) -> None:
        for _ in range(200):
            if not self.sent:
                return
            self._delivered(self.sent.pop(0))
            self._pass(timedelta(seconds=40))
        raise AssertionError(self.sent)

    def _check(self) -> None:
        """Check that each record has one answer, as the CPU gives it, or is listed once."""
        job, expected = self._stands()[0], self.expected
        if job.state == "failed" and job.stop:
            policy = (job.stop.code, self.on_failure) == ("GPU_FAILED", "fail")
            assert policy or (job.stop.code == "OUT_OF_TIME" and self.broken >= MAX_TRIES)
        elif job.state == "cancelled":
            assert job.stop
            assert job.counts.rows_ok <= expected.answered
        else:
            self._check_answers(job, expected)
        versions = self.s3.list_object_versions(Bucket="results").get("Versions", [])
        written = [one["Key"] for one in versions if not one["Key"].startswith(PARTS)]
        assert len(written) == len(set(written)), "an object was written twice"
        if self.calm:
            assert "InProgress" not in self.played.statuses.values(), "it runs on for nobody"
            left = {key.split("/")[2] for key in self._staged("in/")}
            shards = self.before.values()
            handed = {f"{one.number:05}.{one.handed.attempt}" for one in shards if one.handed}
            assert not left & handed, "bodies are left that nobody needs"

    def _check_answers(self, job: Job, expected: Expected) -> None:
        counts = job.counts.rows_ok, job.counts.rows_failed
        assert (job.state, *counts) == (expected.state, expected.answered, len(expected.listed))
        assert expected.results is not None
        name, content = expected.results
        assert self._read(job, name).endswith(content)
        errors = [json.loads(line) for line in self._read(job, "errors.jsonl").splitlines()]
        assert tuple((line["row"], line["line"]) for line in errors) == expected.listed
        shards = self.before.values()
        assert {shard.state for shard in shards} == {ShardState.DONE}
        assert sum(part.counts.rows_in for one in shards for part in one.parts) == sum(counts)

    def _delivered(self, message: Message, *, hurried: bool = False) -> None:
        self.broken += hurried
        self._done(self.one, message, hurried=hurried)
        self._look()

    def _done(self, functions: Functions, message: Message, *, hurried: bool = False) -> bool:
        """Let a worker do a message; return whether it did: if not, it comes again."""
        queue, body = message
        if body.get("invocationStatus") in ("Failed", "Expired"):
            self.failed.add(body["inferenceId"])
        looks, passing_s = iter(range(10**6)), 2 if queue == "hand_off" else 6

        def left_s() -> float:
            return max(0.0, 46.0 - passing_s * next(looks)) if hurried else WAIT_S

        clock = Clock(now=lambda: self.now, left_s=left_s)
        try:
            functions.takes[queue](body, clock, watch(queue, {}).begin("request"))
        except (Crash, HeadraceError, ClientError):
            self.sent.append(message)
            return False
        return True

    def _tell(self, told: dict[str, Any], times: int) -> None:
        self.sent += [("collect", told)] * times

    def _staged(self, prefix: str) -> set[str]:
        listed = self.s3.list_objects_v2(Bucket="staging", Prefix=prefix)
        return {one["Key"] for one in listed.get("Contents", [])}

    def _read(self, job: Job, name: str) -> bytes:
        answer = self.s3.get_object(Bucket="results", Key=job.target.prefix + name)
        return answer["Body"].read()

    def _stands(self) -> tuple[Job, list[Shard]]:
        """Return how the job and its shards stand."""
        items = self.dynamodb.query(
            TableName="jobs",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"JOB#{self.job_id}"}},
        )["Items"]
        shards = [shard_of(item) for item in items if item["sk"]["S"].startswith("SHARD#")]
        return next(job_of(item) for item in items if item["sk"]["S"] == "JOB"), shards


def _url(name: str) -> str:
    return f"https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"


def _queue(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
    """Take what is sent to queues, which seem to be empty: the machine decides when it comes."""
    asked = json.loads(request.body)
    if event_name.endswith("GetQueueAttributes"):
        return _response(200, {"Attributes": {"ApproximateNumberOfMessages": "0"}})
    text = asked["MessageBody"]
    to = Machine.later if asked.get("DelaySeconds") else Machine.sent
    to.append((asked["QueueUrl"].rpartition("/")[2], json.loads(text)))
    digest = md5(text.encode(), usedforsecurity=False).hexdigest()
    return _response(200, {"MessageId": "1", "MD5OfMessageBody": digest})


def _told(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Take what the bus is told, and tell `collect` of ends of jobs on GPUs, as the rule does."""
    for entry in json.loads(request.body)["Entries"]:
        detail = json.loads(entry["Detail"])
        if entry["DetailType"] == "Job Ended" and detail["engine"].startswith("sagemaker-"):
            Machine.sent.append(("collect", {"detail-type": "Job Ended", "detail": detail}))
    return _response(200, {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})


def _moving(handed: Handed) -> dict[str, Any]:
    """Return what may change of what SageMaker has."""
    names = ("round", "sent", "until", "done")
    return {name: getattr(handed, name) for name in names}


def _event(name: str) -> dict[str, Any]:
    return {
        "detail-type": "SageMaker Transform Job State Change",
        "detail": {"TransformJobName": name},
    }


def _raise(error: Exception, _: Any) -> None:
    raise error


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One process of models for all that the machine tries, reading small blocks."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.BLOCK_BYTES", 256)
    monkeypatch.setattr("headrace_runtime.codec.npy_array.BLOCK_BYTES", 512)
    monkeypatch.setattr(AttributePicker, "__call__", AttributePicker.__call__)  # to have it back
    look_for_kinds_of_values_by_name()

    def fetched(manifest: Any) -> Any:
        return Artifacts("models", s3=boto3.client("s3")).fetched(manifest)

    Machine.played = PlayedSageMaker(None, b"")
    Machine.played.listen()
    boto3.DEFAULT_SESSION.events.register("before-send.sqs", _queue)
    boto3.DEFAULT_SESSION.events.register("before-send.events.PutEvents", _told)
    monkeypatch.setattr("boto3.client", cache(boto3.client))
    Machine.workers = Worker(), Worker()  # a client of SageMaker takes long to make
    with ModelProcess(threads=1, memory_bytes=64 << 20, fetched=fetched) as process:
        Machine.models = process
        yield


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=examples < 100,
            # A few tries are always the same ones, and shrinking takes minutes: the long test does.
            phases=list(Phase) if examples >= 100 else [Phase.generate],
        ),
    )


@pytest.mark.fault("F33", "F34", "F35")
@pytest.mark.usefixtures("models")
def test_a_job_on_a_gpu_holds_its_promises_whatever_comes() -> None:
    _run(20, 35)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("models")
def test_a_job_on_a_gpu_holds_its_promises_whatever_comes_for_long() -> None:
    _run(400, 60)
