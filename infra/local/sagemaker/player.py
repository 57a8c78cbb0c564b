"""SageMaker on this machine: whatever moto's control plane is told comes about."""

import contextlib
import logging
from pathlib import Path
from threading import Event, RLock, Thread

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.child_processes import ChildProcesses
from infra.local.sagemaker.async_invocation import AsyncInvocations
from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.containers import Containers, StartModelServer
from infra.local.sagemaker.control_plane import ControlPlane, ControlPlaneLost
from infra.local.sagemaker.endpoint import Endpoint
from infra.local.sagemaker.outcomes import Outcomes
from infra.local.sagemaker.play import Play
from infra.local.sagemaker.runtime import Runtime
from infra.local.sagemaker.runtime_front import RuntimeFront
from infra.local.sagemaker.state_events import StateEvents
from infra.local.sagemaker.transform_run import TransformRun

_AGAIN_S = 0.5

_log = logging.getLogger(__name__)


class SageMakerPlayer:
    """Hosts endpoints and runs transform jobs until it is stopped.

    Args:
        start_model_server: runs a container.
        scratch: where containers keep what they need; logs: where each model prints.
    """

    def __init__(
        self,
        start_model_server: StartModelServer,
        *,
        play: Play,
        children: ChildProcesses,
        scratch: Path,
        logs: Path,
    ) -> None:
        self._start_model_server, self._children = start_model_server, children
        self._play, self._scratch, self._logs = play, scratch, logs
        self._front = RuntimeFront()
        self.url = self._front.url
        self._endpoints: dict[str, tuple[str, Endpoint]] = {}
        self._jobs: dict[str, TransformRun] = {}
        self._lock, self._stopped = RLock(), Event()

    def start(self, clients: CloudClients) -> None:
        """Begin, in the background."""
        self._clients = clients
        self._control = ControlPlane(clients)
        self._events = StateEvents(clients, self._control)
        outcomes = Outcomes(clients, self._play.faults, self._stopped)
        self._invocations = AsyncInvocations(
            outcomes, self._play.faults, second_s=self._play.second_s
        )
        self._containers = Containers(
            self._start_model_server,
            clients=clients,
            children=self._children,
            scratch=self._scratch,
            logs=self._logs,
        )
        runtime = Runtime(self._endpoint, region=clients.region, second_s=self._play.second_s)
        self._front.serve(runtime.answer)
        Thread(target=self._follow, name="sagemaker", daemon=True).start()

    def stop(self) -> None:
        """End every instance; nothing more is written or told."""
        self._stopped.set()
        self._front.stop()
        with self._lock:
            for _, endpoint in self._endpoints.values():
                endpoint.close()
            for job in self._jobs.values():
                job.abandon()

    def _endpoint(self, name: str) -> Endpoint | None:
        if name not in self._endpoints:  # made a moment ago
            self._converge()
        found = self._endpoints.get(name)
        return found[1] if found else None

    def _follow(self) -> None:
        seen = 0  # nothing was told to a moto that has just begun
        while not self._stopped.is_set():
            try:
                change = self._control.await_change(seen)
                if change != seen:
                    self._converge()
                seen = change
            except ControlPlaneLost:
                self._stopped.wait(_AGAIN_S)
            except (ClientError, BotoCoreError):
                if not self._stopped.wait(_AGAIN_S):
                    _log.warning("the control plane is read again", exc_info=True)

    def _converge(self) -> None:
        """Have what the control plane has, and nothing else."""
        with self._lock:
            if self._stopped.is_set():
                return
            listed = {name: (status, made) for name, status, made in self._control.endpoints()}
            for name, (made, endpoint) in list(self._endpoints.items()):
                if name not in listed or listed[name][1] != made:
                    del self._endpoints[name]
                    endpoint.close()
            for name, (status, made) in listed.items():
                with contextlib.suppress(ClientError, ValueError):  # gone meanwhile, or unplayable
                    self._host(name, status, made)
            self._run_transform_jobs()

    def _run_transform_jobs(self) -> None:
        self._jobs = {name: job for name, job in self._jobs.items() if not job.has_ended}
        for name in self._control.transform_jobs("InProgress"):
            if name not in self._jobs:
                self._jobs[name] = TransformRun(
                    name,
                    containers=self._containers,
                    clients=self._clients,
                    control=self._control,
                    events=self._events,
                    play=self._play,
                )
        for name in self._control.transform_jobs("Stopping"):
            if name in self._jobs:
                self._jobs[name].stop()
            elif self._control.report("transform", name, status="Stopped"):  # before it was seen
                self._events.transform_job(name)

    def _host(self, name: str, status: str, made: str) -> None:
        known = self._endpoints.get(name)
        if known is None:
            endpoint = Endpoint(
                self._control.endpoint(name),
                status="InService" if status == "Updating" else status,
                containers=self._containers,
                invocations=self._invocations,
                control=self._control,
                events=self._events,
                play=self._play,
            )
            self._endpoints[name] = made, endpoint
        elif status == "Updating":
            hosted = self._control.endpoint(name)
            if hosted.config != known[1].hosted.config:
                known[1].update(hosted)
            else:
                known[1].resize(self._control.desired(name))
