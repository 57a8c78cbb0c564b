"""A transform job, from its instances to its end."""

import itertools
import logging
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from threading import Event, Thread

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.container_call import (
    ContainerFailed,
    invocation_headers,
    invoke_container,
)
from infra.local.sagemaker.containers import Container, Containers, ModelNotLoaded
from infra.local.sagemaker.control_plane import ControlPlane, ControlPlaneLost
from infra.local.sagemaker.play import Play
from infra.local.sagemaker.scaling import MOST_HERE
from infra.local.sagemaker.state_events import StateEvents
from infra.local.sagemaker.transform_inputs import NoInputs, TransformObject, transform_objects
from infra.local.sagemaker.transform_spec import TransformNotPlayed, TransformSpec

_WORKERS = 32
_LOGS = "See job logs for more information."

_log = logging.getLogger(__name__)


class ObjectFailed(Exception):
    """An object that has no output after all its retries: with it fails the job."""


class JobStopped(Exception):
    """Its stop was asked for."""


class TransformRun:
    """Runs one job, in the background, and reports each of its states."""

    def __init__(
        self,
        name: str,
        *,
        containers: Containers,
        clients: CloudClients,
        control: ControlPlane,
        events: StateEvents,
        play: Play,
    ) -> None:
        self._name, self._play = name, play
        self._containers, self._clients = containers, clients
        self._control, self._events = control, events
        self._stopping, self._abandoned = Event(), Event()
        self._thread = Thread(target=self._run, name=f"transform-{name}", daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether its last state was reported."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Let it end before its time; what it has written stays."""
        self._stopping.set()

    def abandon(self) -> None:
        """End it without a word."""
        self._abandoned.set()
        self._stopping.set()

    def _run(self) -> None:
        try:
            status, reason = self._ended()
            if self._abandoned.is_set():
                return
            self._control.report("transform", self._name, status=status, reason=reason)
            self._tell(is_end=True)
        except ControlPlaneLost:
            pass
        except Exception:  # noqa: BLE001 - a thread has no one else to tell
            _log.exception("transform job %s was lost", self._name)

    def _ended(self) -> tuple[str, str | None]:
        self._tell(is_end=False)
        try:
            job = self._control.describe("transform_job", self._name)
            model = self._control.describe("model", job["ModelName"])
            self._transform(TransformSpec.read(job, model))
        except JobStopped:
            return "Stopped", None
        except (TransformNotPlayed, ValueError) as error:
            return "Failed", f"ClientError: {error}"
        except (ModelNotLoaded, NoInputs, ObjectFailed, ClientError, BotoCoreError) as error:
            return "Failed", str(error)
        return "Completed", None

    def _transform(self, spec: TransformSpec) -> None:
        if self._stopping.wait(self._play.wake_s):
            raise JobStopped
        objects = transform_objects(spec, self._clients.client("s3"))
        with self._instances(spec) as instances:
            self._control.report("transform", self._name, status="InProgress")
            with ThreadPoolExecutor(min(_WORKERS, spec.concurrent * len(instances))) as pool:
                turns = itertools.cycle(instances)
                futures = [
                    pool.submit(self._transform_one, spec, one, next(turns)) for one in objects
                ]
                self._await(futures, instances)

    def _await(self, futures: list[Future[None]], instances: list[Container]) -> None:
        left = set(futures)
        while left:
            done, left = wait(left, timeout=0.1, return_when=FIRST_EXCEPTION)
            failed = [one for one in done if not one.cancelled() and one.exception()]
            if failed or self._stopping.is_set():
                for future in left:
                    future.cancel()
                for instance in instances:  # who is in the middle of a call is not waited for
                    instance.stop()
                if failed and not self._stopping.is_set():
                    failed[0].result()
                raise JobStopped

    @contextmanager
    def _instances(self, spec: TransformSpec) -> Iterator[list[Container]]:
        with ExitStack() as stack:
            instances = []
            for _ in range(min(spec.instances, MOST_HERE)):
                instance = self._containers.run(spec.model)
                stack.callback(instance.stop)
                instances.append(instance)
            yield instances

    def _transform_one(
        self, spec: TransformSpec, one: TransformObject, instance: Container
    ) -> None:
        if self._stopping.is_set():
            return
        if self._play.faults.meets("transform_fail", spec.name):
            raise ObjectFailed(f"AlgorithmError: failed by fault. {_LOGS}")
        why = ""
        for _ in range(1 + spec.retries):
            why = self._try(spec, one, instance)
            if not why:
                return
            if self._stopping.is_set():
                break
        raise ObjectFailed(f"ClientError: {one.source}: {why}. {_LOGS}")

    def _try(self, spec: TransformSpec, one: TransformObject, instance: Container) -> str:
        """Transform an object; return why it could not be, empty if it was."""
        s3 = self._clients.client("s3")
        found = s3.get_object(Bucket=one.source.bucket, Key=one.source.key)
        size_bytes = int(found["ContentLength"])
        try:
            with closing(found["Body"]) as body:
                if size_bytes > spec.largest_bytes:
                    raise ObjectFailed(f"ClientError: {one.source} is larger than MaxPayloadInMB.")
                answer = invoke_container(
                    instance.url,
                    body=body,
                    size_bytes=size_bytes,
                    headers=invocation_headers(spec.content_type, spec.accept, None),
                    timeout_s=spec.timeout_s * self._play.second_s,
                )
        except ContainerFailed as error:
            return f"no answer from the model {error}".strip()
        with answer.body:
            if not answer.is_ok:
                return f"the model answered {answer.status}: {answer.text()[:200]}"
            s3.put_object(
                Bucket=one.output.bucket,
                Key=one.output.key,
                Body=answer.body,
                ContentType=answer.content_type,
            )
        return ""

    def _tell(self, *, is_end: bool) -> None:
        faults = self._play.faults
        if is_end and faults.meets("transform_drop", self._name):
            return
        for _ in range(1 + faults.meets("double_notice", self._name)):
            self._events.transform_job(self._name)
