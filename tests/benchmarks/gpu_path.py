"""A file on its way over SageMaker, from the inbox to its results, as Lambda calls functions."""

import json
from dataclasses import dataclass
from pathlib import Path

import boto3

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.batch.job import JobState
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.batch.source import Source
from tests.benchmarks.gpu_function import Function
from tests.benchmarks.gpu_world import GpuWorld
from tests.benchmarks.usage import family_cpu_s
from tests.benchmarks.world import ROOT


@dataclass(frozen=True, slots=True)
class Worked:
    """A file that went all the way: CPU seconds of each who had to do with it.

    Attributes:
        records: that have an answer.
    """

    records: int
    stage_s: float
    infer_s: float
    collect_s: float


class GpuPath:
    """Takes files all the way, one after the other."""

    def __init__(
        self, world: GpuWorld, intake: Function, hand_off: Function, collect: Function
    ) -> None:
        self._world = world
        self._intake, self._hand_off, self._collect = intake, hand_off, collect
        self._jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))

    def work(self, file: Path) -> Worked:
        """Have a file answered.

        Raises:
            RuntimeError: some of its records were not.
        """
        server = self._world.server
        server_s = family_cpu_s(server.pid) if server else 0.0
        job = self._dropped(file)
        stage_s = sum(map(self._hand_off.call, self._world.messages("hand_off")))
        collect_s = 0.0
        while not self._jobs.get(job).state.final:
            collect_s += sum(map(self._collect.call, self._world.messages("collect")))
        collect_s += sum(map(self._collect.call, self._world.messages("collect")))  # of its end
        ended, server = self._jobs.get(job), self._world.server
        if ended.state is not JobState.SUCCEEDED or server is None:
            raise RuntimeError(f"the job of {file.name} {ended.state}: {ended.stop}")
        infer_s = family_cpu_s(server.pid) - server_s
        return Worked(ended.counts.rows_ok, stage_s, infer_s, collect_s)

    def _dropped(self, file: Path) -> str:
        """Take a file in; return its job's id."""
        s3, key = boto3.client("s3"), f"inbox/measured/{file.name}"
        with file.open("rb") as body:
            put = s3.put_object(Bucket="inbox", Key=key, Body=body)
        version, etag, size = put["VersionId"], put["ETag"].strip('"'), file.stat().st_size
        sample = json.loads((ROOT / "events/intake.csv.json").read_text())["Records"][0]
        message = json.loads(sample["body"])
        facts = {"key": key, "size": size, "version-id": version, "etag": etag}
        message["detail"]["object"] |= facts
        self._intake.call(json.dumps(message))
        return job_id(Source("inbox", key, version, etag, size))
