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
    precondition,
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
from headrace_runtime.aws.sweeping import sweeping_of
from headrace_runtime.batch.clock import Clock, Slice
from headrace_runtime.batch.file_formats import opened
from headrace_runtime.batch.handed import MAX_ROUNDS, Handed
from headrace_runtime.batch.job import Job, Source
from headrace_runtime.batch.job_key import PARTS
from headrace_runtime.batch.parts import one_file
from headrace_runtime.batch.shard import Shard, ShardState
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
        self.calm = True
        self.final: Job | None = None
        self.before: dict[int, Shard] = {}

    @initialize(
        kind=st.sampled_from(sorted(KINDS)),
        transform=st.booleans(),
        on_failure=st.sampled_from(["cpu", "cpu", "fail"]),
        rows=st.integers(70, 120),
        seed=st.integers(0, 9),
    )
    def drop(self, kind: str, transform: bool, on_failure: str, rows: int, seed: int) -> None:
        """Drop the file, of some shards of some bodies each."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.integration.gpu_door.ROWS_AT_ONCE", 15)
            patch.setattr("headrace_runtime.batch.placement._MAX_SHARDS", 1 if transform else 99)
            played = published(
                "linear", onnx_models.linear(), onnx_models.linear_signature(), listening=False
            )
            vars(self.played).update(vars(played))
            self.on_failure, self.transform = on_failure, transform
            self.one, self.other = (
                Functions(worker, self.models, on_failure) for worker in self.workers
            )
            body, self.expected = KINDS[kind](1, rows, Random(seed))
            self.s3, self.dynamodb = boto3.client("s3"), boto3.client("dynamodb")
            key = f"linear/rows.{kind}"
            put = self.s3.put_object(Bucket="inbox", Key=key, Body=body)
            source = Source("inbox", key, put["VersionId"], put["ETag"].strip('"'), len(body))
            job = self.one.intake.accept(source, self.now, Slice(lambda: WAIT_S))
        self.job_id = job.job_id
        assert job.placement is not None
        assert job.placement.engine == ("sagemaker-transform" if transform else "sagemaker-async")
        assert job.cut.shards > 1

    @precondition(lambda self: self.sent)
    @rule(count=st.integers(1, 9), order=st.integers(0, 2**16))
    def deliver_some(self, count: int, order: int) -> None:
        """Deliver some messages in any order; nothing happens to those who do them."""
        draw = Random(order)
        for _ in range(min(count, len(self.sent))):
            self._delivered(self.sent.pop(draw.randrange(len(self.sent))))

    @precondition(lambda self: self.sent)
    @rule(
        which=st.integers(0, 30),
        copies=st.integers(0, 2),
        at=st.integers(1, 18),
        what=st.sampled_from(["dies before", "dies after", "overtaken", "overtaken", "hurried"]),
        by=st.integers(0, 30),
    )
    def deliver(self, which: int, copies: int, at: int, what: str, by: int) -> None:
        """Deliver a message, doubled or not, to a worker who meets something at a request.

        He dies before it is done or after, or another one does another message first, or his time
        is short. What he did not do comes again.
        """
        message = self.sent.pop(which % len(self.sent))
        self.sent += [message] * copies
        taken, sent_by_the_first = len(self.played.taken), 0

        def overtake() -> None:
            nonlocal sent_by_the_first
            sent_by_the_first = len(self.played.taken) - taken
            if self.sent:
                self._done(self.other, self.sent.pop(by % len(self.sent)))

        happens = {"overtaken": overtake, "hurried": _nothing}.get(what, _die)
        with self.one.worker.interrupted(at, happens, after=what == "dies after"):
            unbroken = self._done(self.one, message, hurried=what == "hurried")
        if unbroken and not sent_by_the_first:
            self._check_that_a_round_is_begun_by_one(self.played.taken[taken:])
        self._look()

    def _check_that_a_round_is_begun_by_one(self, sent: list[Invocation]) -> None:
        for one in sent:
            handed = self.before[int(one.inference_id.split(".")[1])].handed
            if one.round > 1 and (handed is None or handed.round < one.round):
                ids = [other.inference_id for other in sent]
                assert ids.count(one.inference_id) == 1, "two workers began a round"

    @precondition(lambda self: self.played.waiting)
    @rule(
        which=st.integers(0, 30),
        again=st.booleans(),
        told=st.integers(0, 2),
        rows=st.sampled_from([None] * 9 + [1]),
    )
    def answer(self, which: int, again: bool, told: int, rows: int | None) -> None:
        """Let SageMaker answer a body, perhaps not for the last time, perhaps not all of it."""
        invocation = self._invocation(which, again=again)
        if invocation.input in self._staged("in/"):  # what nobody needs any more is removed
            self._tell(self.played.answer(invocation, rows=rows), told)
            self.outputs.add(invocation.output)

    @precondition(lambda self: self.played.waiting)
    @rule(
        which=st.integers(0, 30),
        again=st.booleans(),
        told=st.integers(0, 2),
        status=st.sampled_from(["Failed", "Expired"]),
    )
    def fail(self, which: int, again: bool, told: int, status: str) -> None:
        """Let SageMaker fail at a body, or forget it; it may answer it all the same, later."""
        invocation = self._invocation(which, again=again)
        self._tell(notice(invocation, status), told)
        if told:
            self.failed.add(invocation.inference_id)

    @precondition(lambda self: len(self.played.waiting) > 1)
    @rule(good=st.booleans())
    def answer_all(self, good: bool) -> None:
        """Let SageMaker see to all that waits."""
        for _ in list(self.played.waiting):
            (self.answer if good else self.fail)(
                **{"which": 0, "again": False, "told": 1}
                | ({"rows": None} if good else {"status": "Failed"})
            )

    @precondition(lambda self: self.played.taken)
    @rule(which=st.integers(0, 99), attempt=st.integers(0, 9), round_=st.integers(1, 4))
    def tell_of_another_try(self, which: int, attempt: int, round_: int) -> None:
        """Tell of a failure of bodies that nobody waits for."""
        about = self.played.taken[which % len(self.played.taken)]
        told = notice(about, "Failed")
        job_id, shard, had, body, had_round = about.inference_id.split(".")
        if (attempt, round_) != (int(had), int(had_round)):
            told["inferenceId"] = f"{job_id}.{shard}.{attempt}.{body}.{round_}"
            if attempt == int(had):
                self.failed.add(told["inferenceId"])
            self.sent.append(("collect", told))

    @precondition(lambda self: "InProgress" in self.played.statuses.values())
    @rule(failing=st.sets(st.integers(0, 30), max_size=3), told=st.integers(0, 2))
    def end_transform(self, failing: set[int], told: int) -> None:
        """Let a transform job end; it fails if one of its bodies does."""
        name = next(name for name, is_ in self.played.statuses.items() if is_ == "InProgress")
        bodies = self.played.bodies(name)
        there = {key.removeprefix("in/") for key in self._staged("in/")}
        bad = {body for place, body in enumerate(bodies) if place in failing or body not in there}
        self.played.transform(name, failing=bad)
        self.outputs |= {f"out/{body}.out" for body in bodies if body not in bad}
        self._tell(_event(name), told)

    @rule(hours=st.sampled_from([0.1, 0.3, 7, 25]), swept=st.booleans())
    def wait(self, hours: float, swept: bool) -> None:
        """Let time pass, until leases end, or whatever SageMaker has; what was lost is found."""
        self._pass(timedelta(hours=hours))
        if swept:
            self._sweep()

    def _pass(self, time: timedelta) -> None:
        self.now += time
        self.sent += self.later
        self.later.clear()

    def _sweep(self) -> None:
        list(self.one.sweeping.sweep(self.now, Slice(lambda: WAIT_S), _raise))

    @rule(
        trouble=st.sampled_from(
            ["lost", "refused", "throttled", "gone", "back", "back", "cancelled"]
        ),
        which=st.integers(0, 30),
    )
    def trouble(self, trouble: str, which: int) -> None:
        """Let a message be lost for good, the next body be refused, the job be cancelled..."""
        if trouble == "lost" and self.sent:
            self.sent.pop(which % len(self.sent))
            self.calm = False
        elif trouble in ("refused", "throttled"):
            code = "ValidationError" if trouble == "refused" else "ThrottlingException"
            error = ClientError({"Error": {"Code": code}}, "InvokeEndpointAsync")
            self.played.refused.append(error)
        elif trouble in ("gone", "back"):
            gone = trouble == "gone" and which < 15
            open_endpoint(self.played.manifest, "creating" if gone else "ready")
        elif trouble == "cancelled" and which < 4:  # seldom
            self._cancel()

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
            if self.played.waiting:
                self.answer_all(good=True)
                while self.played.waiting:
                    self.answer(0, again=False, told=1, rows=None)
            while "InProgress" in self.played.statuses.values():
                self.end_transform(set(), 1)
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
            assert (job.stop.code, self.on_failure) == ("GPU_FAILED", "fail")
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

    def _delivered(self, message: Message) -> None:
        self._done(self.one, message)
        self._look()

    def _done(self, functions: Functions, message: Message, *, hurried: bool = False) -> bool:
        """Let a worker do a message; return whether it did: if not, it comes again."""
        queue, body = message
        looks = iter(range(10**6))

        def left_s() -> float:
            return max(0.0, 60.0 - 1.5 * next(looks)) if hurried else WAIT_S

        clock = Clock(now=lambda: self.now, left_s=left_s)
        try:
            functions.takes[queue](body, clock, watch(queue, {}).begin("request"))
        except (Crash, HeadraceError, ClientError):
            self.sent.append(message)
            return False
        return True

    def _tell(self, told: dict[str, Any], times: int) -> None:
        self.sent += [("collect", told)] * times

    def _invocation(self, which: int, *, again: bool) -> Invocation:
        waiting = self.played.waiting
        return waiting[which % len(waiting)] if again else waiting.pop(which % len(waiting))

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
    _run(20, 40)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("models")
def test_a_job_on_a_gpu_holds_its_promises_whatever_comes_for_long() -> None:
    _run(400, 60)
