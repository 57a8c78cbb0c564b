"""Whatever comes, in whatever order: ends are final, attempts have one owner, manifests are true.

A machine draws what happens: files are dropped; messages are delivered, doubled, held back, lost;
workers die at any request to AWS, before it or after, or run out of time; jobs are cancelled;
time passes; what was lost is swept up. At the end all that is left is worked, and every record of
every file must be answered once, or listed once.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import boto3
import moto
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.aws.batch_worker import shard_work
from headrace_runtime.aws.dropped import dropped_file, dropped_message
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.intake_worker import intake_of
from headrace_runtime.aws.job_items import job_of
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.sweeping import sweeping_of
from headrace_runtime.batch.clock import Clock, Slice
from headrace_runtime.batch.file_formats import opened
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.batch.parts import one_file
from headrace_runtime.batch.shard import Shard
from headrace_runtime.batch.source import Source
from headrace_runtime.errors import Conflict, HeadraceError
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.work_settings import BatchSettings, IntakeSettings, SweepSettings
from tests import onnx_models, worlds
from tests.conftest import CREDENTIALS, SETTINGS

WAIT_S = 900.0
ROWS = 300


class Crash(BaseException):
    """A worker is killed: nothing of it reaches AWS any more."""


class Worker:
    """Clients of one worker, which may be told to die at a request."""

    def __init__(self) -> None:
        self.clients = {name: boto3.client(name) for name in ("dynamodb", "s3", "sqs", "events")}
        self._dies_at: tuple[int, bool] | None = None
        self._seen = 0
        for client in self.clients.values():
            client.meta.events.register("before-call", partial(self._count, after=False))
            client.meta.events.register("after-call", partial(self._count, after=True))

    @contextmanager
    def dying_at(self, call: int | None, *, after: bool) -> Iterator[None]:
        self._seen, self._dies_at = 0, None if call is None else (call, after)
        try:
            yield
        finally:
            self._dies_at = None

    def _count(self, *, after: bool, **_: Any) -> None:
        if self._dies_at is None:
            return
        call, dies_after = self._dies_at
        self._seen += not after
        if self._seen > call or (self._seen == call and after == dies_after):
            raise Crash


def file_of(kind: str, number: int) -> tuple[str, bytes, int, int]:
    """Return name and bytes of a file, and how many of its records are good and bad."""
    if kind == "npy":
        written = io.BytesIO()
        np.save(written, np.full((ROWS, 4), number, np.float32))
        return f"{number}.npy", written.getvalue(), ROWS, 0
    if kind == "jsonl":
        lines = b"".join(b"[%d,1,2,%d]\n" % (number, i) for i in range(ROWS))
        return f"{number}.jsonl", lines + b"nonsense\n", ROWS, 1
    rows = [f"{number},{i},x,1" if i % 50 == 0 else f"{number},{i},2,3" for i in range(ROWS)]
    return f"{number}.csv", ("a,b,c,d\n" + "\n".join(rows)).encode(), ROWS - 6, 6


class Machine(RuleBasedStateMachine):
    """The world of jobs."""

    messages = Bundle("messages")
    models: ModelProcess

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.mock = moto.mock_aws()
        self.mock.start()
        worlds.make()
        self.waiting: list[str] = []
        self.dropped: dict[str, tuple[int, int]] = {}
        self.final: dict[str, Job] = {}
        self.shards: dict[tuple[str, int], Shard] = {}
        self.manifests: dict[str, str] = {}
        self._wire()

    def _wire(self) -> None:
        sqs = boto3.client("sqs")
        self.urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("files", "shards")]
        files, shards = self.urls
        self.worker = Worker()
        clients = self.worker.clients
        taking = vars(SETTINGS["intake"]) | {
            "files_queue_url": files,
            "shards_queue_url": shards,
            "shard_bytes": 1500,
        }
        self.intake = intake_of(IntakeSettings(**taking), **clients)
        worlds.publish("linear", onnx_models.linear(), onnx_models.linear_signature())
        inbox = Inbox(s3=clients["s3"])
        self.batch = shard_work(
            BatchSettings(**vars(SETTINGS["batch"]) | {"queue_url": shards, "batch_rows": 40}),
            **clients,
            price=lambda ns: ns / 1e12,
            models=self.models,
            opener=lambda job, wanted, of: opened(
                partial(inbox.open, job.source), job.known_content, wanted, of
            ),
            assemble=lambda _, parts: one_file(parts),
        )
        sweeping = vars(SETTINGS["sweep"]) | {"files_queue_url": files, "shards_queue_url": shards}
        self.sweeping = sweeping_of(SweepSettings(**sweeping), **clients)

    @rule(kind=st.sampled_from(["csv", "jsonl", "npy"]), told=st.booleans())
    def drop(self, kind: str, told: bool) -> None:
        """Drop a file; its event may never come."""
        name, body, good, bad = file_of(kind, len(self.dropped))
        key = f"linear/{name}"
        put = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=body)
        source = Source("inbox", key, put["VersionId"], put["ETag"].strip('"'), len(body))
        self.dropped[job_id(source)] = (good, bad)
        if told:
            self.waiting.append(dropped_message(source))

    @rule(
        which=st.integers(0, 30),
        copies=st.integers(0, 2),
        dies_at=st.none() | st.integers(1, 14),
        after=st.booleans(),
        hurried=st.booleans(),
    )
    def deliver(
        self, which: int, copies: int, dies_at: int | None, after: bool, hurried: bool
    ) -> None:
        """Deliver a message, any of those that wait; it is deleted if all went well, or doubled."""
        if not self.waiting:
            return
        message = self.waiting.pop(which % len(self.waiting))
        self.waiting += [message] * copies
        with self.worker.dying_at(dies_at, after=after):
            try:
                self._work(message, hurried=hurried)
            except (Crash, HeadraceError):
                self.waiting.append(message)
        self._collect()

    @rule(which=st.integers(0, 30))
    def lose(self, which: int) -> None:
        """Lose a message for good."""
        if self.waiting:
            self.waiting.pop(which % len(self.waiting))

    @rule(which=st.integers(0, 10))
    def cancel(self, which: int) -> None:
        """Ask for the end of a job."""
        jobs = self._jobs()
        if jobs:
            job = jobs[which % len(jobs)]
            try:
                self._table().change(job.job_id, Job.asked_to_cancel)
            except Conflict:
                assert job.state.final

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        """Let time pass: leases end."""
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        """Look for what was lost."""
        list(self.sweeping.sweep(self.now, Slice(lambda: WAIT_S), self._failed))
        self._collect()

    @invariant()
    def an_end_is_final(self) -> None:
        """What has ended never changes."""
        for job in self._jobs():
            if job.job_id in self.final:
                assert job == self.final[job.job_id]
            if job.state.final:
                self.final[job.job_id] = job

    @invariant()
    def an_attempt_has_one_owner(self) -> None:
        """Attempts only grow, and no part that was written is lost."""
        for job in self._jobs():
            for shard in Shards("jobs", dynamodb=boto3.client("dynamodb")).of(job.job_id):
                before = self.shards.get((job.job_id, shard.number), shard)
                assert shard.attempt >= before.attempt
                assert shard.parts[: len(before.parts)] == before.parts
                self.shards[job.job_id, shard.number] = shard

    @invariant()
    def a_published_manifest_is_true(self) -> None:
        """Where a manifest stands the files are as it says, and stay so."""
        s3 = boto3.client("s3")
        for entry in s3.list_objects_v2(Bucket="results").get("Contents", []):
            key = entry["Key"]
            if not key.endswith("/manifest.json"):
                continue
            before = self.manifests.setdefault(key, entry["ETag"])
            assert before == entry["ETag"]
            manifest = json.loads(_read(key))
            files = {name.rsplit("/", 1)[-1]: _read(name) for name in manifest["files"]}
            errors = [json.loads(line) for line in files.pop("errors.jsonl").splitlines()]
            assert manifest["rows_in"] == manifest["rows_ok"] + manifest["rows_failed"]
            assert manifest["state"] == "failed" or len(errors) == manifest["rows_failed"]
            for results in files.values():
                assert _checksum(results, manifest["parts"]) == manifest["results"]["sha256"]

    def teardown(self) -> None:
        """Work all that is left; then every record must be accounted for."""
        try:
            self._settle()
            for identity, (good, bad) in self.dropped.items():
                job = self._table().get(identity)
                assert job.state.final
                if job.state == "cancelled":
                    assert job.counts.rows_ok <= good
                    assert job.counts.rows_failed <= bad
                else:
                    assert (job.counts.rows_ok, job.counts.rows_failed) == (good, bad)
                self._check_once(job)
            self.an_end_is_final()
            self.a_published_manifest_is_true()
        finally:
            self.mock.stop()

    def _settle(self) -> None:
        for _ in range(12):
            self.now += timedelta(minutes=20)
            self.sweep()
            for _ in range(200):
                if not self.waiting:
                    break
                self.deliver(0, 0, None, after=False, hurried=False)
                self.now += timedelta(seconds=40)
            if all(job.state.final for job in self._jobs()) and len(self._jobs()) == len(
                self.dropped
            ):
                return
        raise AssertionError([(job.job_id, job.state) for job in self._jobs()])

    def _check_once(self, job: Job) -> None:
        """Check that no record is both answered and listed, or twice either."""
        errors = _read(f"{job.target.prefix}errors.jsonl").splitlines()
        rows = [json.loads(line)["row"] for line in errors]
        assert len(rows) == len(set(rows))
        if job.content and job.content.format == "csv" and job.counts.rows_ok:
            lines = _read(f"{job.target.prefix}results.csv").decode().splitlines()[1:]
            answered = [int(line.split(",")[1]) + 1 for line in lines]
            assert len(answered) == job.counts.rows_ok
            assert answered == sorted(set(answered))
            assert not set(answered) & set(rows)

    def _work(self, body: str, *, hurried: bool) -> None:
        message = json.loads(body)
        looks = iter(range(10**6))

        def left_s() -> float:
            return max(0.0, 40.0 - 1.5 * next(looks)) if hurried else WAIT_S

        clock = Clock(now=lambda: self.now, left_s=left_s)
        if "cut" in message:
            self.intake.go_on(message["cut"], Slice(left_s))
        elif "shard" in message:
            self.batch.work(message["job_id"], message["shard"], clock)
        elif "close" in message:
            self.batch.closing.close_if_due(message["job_id"], self.now)
        else:
            source = dropped_file(body)
            assert source is not None
            self.intake.accept(source, self.now, Slice(left_s))

    def _collect(self) -> None:
        """Take what was sent out of the queues: from here on the machine decides when it comes."""
        sqs = boto3.client("sqs")
        for url in self.urls:
            while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                for one in found:
                    self.waiting.append(one["Body"])
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])

    def _failed(self, error: Exception, _: Any) -> None:
        raise error

    def _table(self) -> Jobs:
        return Jobs("jobs", dynamodb=boto3.client("dynamodb"))

    def _jobs(self) -> list[Job]:
        items = boto3.client("dynamodb").scan(TableName="jobs")["Items"]
        return [job_of(item) for item in items if item["sk"]["S"] == "JOB"]


def _read(key: str) -> bytes:
    return boto3.client("s3").get_object(Bucket="results", Key=key)["Body"].read()


def _checksum(results: bytes, parts: list[dict[str, Any]]) -> str:
    start, digests = 0, []
    for part in parts:
        piece = sha256(results[start : start + part["size_bytes"]])
        assert piece.hexdigest() == part["sha256"]
        digests.append(piece.digest())
        start += part["size_bytes"]
    assert start == len(results)
    if len(digests) <= 1:
        return sha256(results).hexdigest()
    return f"{sha256(b''.join(digests)).hexdigest()}-{len(digests)}"


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One process of models for all that the machine tries, reading small blocks."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("headrace_runtime.codec.line_blocks.BLOCK_BYTES", 512)
    monkeypatch.setattr("headrace_runtime.codec.npy_array.BLOCK_BYTES", 512)

    def fetched(manifest: Any) -> Any:
        return Artifacts("models", s3=boto3.client("s3")).fetched(manifest)

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


@pytest.mark.fault("F1", "F6", "F7", "F23", "F24", "F42")
@pytest.mark.usefixtures("models")
def test_jobs_hold_their_promises_whatever_comes() -> None:
    _run(12, 25)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("models")
def test_jobs_hold_their_promises_whatever_comes_for_long() -> None:
    _run(400, 60)
