"""An endpoint: its queue or its callers, its instances, and what decides how many there are."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, RLock, Thread

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.sagemaker.async_invocation import AsyncInvocations
from infra.local.sagemaker.async_request import AsyncRequest
from infra.local.sagemaker.backlog import Backlog, BacklogFull, Invocation
from infra.local.sagemaker.containers import Containers, ModelNotLoaded
from infra.local.sagemaker.control_plane import ControlPlane, ControlPlaneLost
from infra.local.sagemaker.endpoint_reports import EndpointReports
from infra.local.sagemaker.fleet import Fleet, Instance
from infra.local.sagemaker.hosted import AsyncOutputs, HostedEndpoint, Scaling
from infra.local.sagemaker.play import Play
from infra.local.sagemaker.refusals import Refusal, invalid
from infra.local.sagemaker.scaling import MOST_HERE, wanted_instances
from infra.local.sagemaker.state_events import StateEvents

_WORKERS = 32
_LOOK_AGAIN_S = 1.0
_IDLE_LOOK_AGAIN_S = 2.0
_BOOT_AGAIN_S = 5.0

_log = logging.getLogger(__name__)


class Endpoint:
    """Runs until it is closed.

    One thread decides: it lets requests expire, boots and ends instances, and gives requests to
    those that are free. Threads of a pool make the calls.

    Args:
        status: what the control plane says of it; `Creating` unless another player had it before.
    """

    def __init__(
        self,
        hosted: HostedEndpoint,
        *,
        status: str,
        containers: Containers,
        invocations: AsyncInvocations,
        control: ControlPlane,
        events: StateEvents,
        play: Play,
    ) -> None:
        self.hosted, self.status = hosted, status
        self._reason: str | None = None
        self._containers, self._invocations, self._play = containers, invocations, play
        self._reports = EndpointReports(status, control, events)
        self._stirred, self._closed, self._lock = Event(), Event(), RLock()
        self.fleet = self._new_fleet(hosted)
        self._next: tuple[HostedEndpoint, Fleet] | None = None
        self._size: int | None = None
        self._fixed = hosted.initial
        self._backlog = Backlog()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix=hosted.name)
        Thread(target=self._run, name=f"endpoint-{hosted.name}", daemon=True).start()

    def submit(self, request: AsyncRequest, outputs: AsyncOutputs) -> Invocation:
        """Take a request into the queue.

        Raises:
            Refusal: the endpoint is not in service, or this machine holds no more requests.
        """
        self.check_in_service()
        invocation = Invocation(
            self.hosted.name,
            request,
            outputs,
            datetime.now(UTC),
            time.monotonic() + request.ttl_s * self._play.second_s,
        )
        try:
            with self._lock:
                self._backlog.add(invocation)
        except BacklogFull:
            raise Refusal("ServiceUnavailable", "The queue is full on this machine.") from None
        self._stirred.set()
        return invocation

    def check_in_service(self) -> None:
        """See that it takes calls.

        Raises:
            Refusal: it does not.
        """
        if self.status not in {"InService", "Updating"}:
            raise invalid(f"Endpoint {self.hosted.name} is {self.status}, not in service.")

    def update(self, hosted: HostedEndpoint) -> None:
        """Go over to another config, once an instance has loaded its model."""
        with self._lock:
            if self.status != "InService":
                return
            self.status = "Updating"
            self._reports.heard("Updating")
            self._next = hosted, self._new_fleet(hosted)
            self._next[1].boot(1)

    def resize(self, count: int) -> None:
        """Have that many instances, until scaling would have another number."""
        with self._lock:
            if self.status != "InService":
                return
            self.status = "Updating"
            self._reports.heard("Updating")
            self._size = count
        self._stirred.set()

    def close(self) -> None:
        """End it: what waits is dropped, and what is under way is never told of."""
        self._closed.set()
        self._stirred.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for fleet in (self.fleet, *([self._next[1]] if self._next else [])):
            fleet.close()

    def _new_fleet(self, hosted: HostedEndpoint) -> Fleet:
        return Fleet(
            self._containers,
            hosted.model,
            wake_s=self._play.wake_s,
            changed=self._stirred.set,
        )

    def _run(self) -> None:
        self._begin()
        while not self._closed.is_set():
            self._stirred.clear()
            try:
                wait_s = self._step()
                if not self._closed.is_set():
                    counts = self.fleet.ready, self.fleet.count
                    self._reports.tell(self.hosted, self.status, self._reason, counts)
            except ControlPlaneLost:
                return
            except (ClientError, BotoCoreError):
                _log.warning("%s looks again", self.hosted.name, exc_info=True)
                wait_s = _LOOK_AGAIN_S
            self._stirred.wait(wait_s)

    def _begin(self) -> None:
        if self.status != "Creating" and self.hosted.outputs is not None:
            return
        if self._play.loads_first or self.hosted.outputs is None:
            self.fleet.boot(min(self.hosted.initial, MOST_HERE))
            return
        self._closed.wait(self._play.wake_s)
        try:
            self._containers.check(self.hosted.model)
            self.status = "InService"
        except ModelNotLoaded as error:
            self.status, self._reason = "Failed", error.reason

    def _step(self) -> float | None:
        """Do what is due; return for how many seconds nothing will be."""
        scaling, now = None, time.monotonic()
        if len(self._backlog) or self.fleet.count:
            scaling = self._reports.scaling(self.hosted)
        self._go_on()
        with self._lock:
            gone = self._backlog.expired(now)
        for invocation in gone:
            self._work(self._invocations.outcomes.expire, invocation)
        if self.status in {"InService", "Updating"}:
            self._scale(scaling, now)
            self._dispatch()
        return self._wait_s(now)

    def _go_on(self) -> None:
        """Change the status, where instances have come up or failed to."""
        with self._lock:
            if self._next is not None:
                hosted, fleet = self._next
                if fleet.has_loaded:
                    self.fleet.retire()
                    self.hosted, self.fleet, self._fixed = hosted, fleet, hosted.initial
                if fleet.has_loaded or fleet.failure:
                    self.status, self._next = "InService", None
            elif self._size is not None:
                self._fixed = self._size
                self.fleet.resize(min(self._size, MOST_HERE))
                self.status, self._size = "InService", None
            elif self.status == "Creating" and self.fleet.has_loaded:
                self.status = "InService"
            elif self.fleet.failure and not self.fleet.has_loaded:
                self.status, self._reason = "Failed", self.fleet.failure
                self.fleet.close()
                for invocation in self._backlog.clear():
                    reason = f"ClientError: the endpoint has failed: {self._reason}"
                    self._work(self._invocations.outcomes.fail, invocation, reason)

    def _scale(self, scaling: Scaling | None, now: float) -> None:
        fleet = self.fleet
        wanted = wanted_instances(
            fleet.count,
            len(self._backlog),
            scaling=scaling,
            fixed=self._fixed,
            is_idle=fleet.idle_s(now) >= self._play.idle_s,
        )
        if wanted < fleet.count or not (fleet.failure and now - fleet.failed_at < _BOOT_AGAIN_S):
            fleet.resize(wanted)

    def _dispatch(self) -> None:
        with self._lock:
            hosted, fleet = self.hosted, self.fleet
            while len(self._backlog) and (instance := fleet.take(hosted.concurrent)):
                invocation = self._backlog.take()
                self._work(self._serve, invocation, fleet, instance)

    def _work(self, work: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # it was closed meanwhile
            self._pool.submit(work, *args)

    def _serve(self, invocation: Invocation, fleet: Fleet, instance: Instance) -> None:
        try:
            self._invocations.run(invocation, fleet, instance)
        except Exception:  # noqa: BLE001 - one request that is lost must not hold the others up
            _log.exception("%s was lost", invocation.request.inference_id)
        finally:
            fleet.give_back(instance)
            self._stirred.set()

    def _wait_s(self, now: float) -> float | None:
        waits = [_LOOK_AGAIN_S] if len(self._backlog) else []
        with self._lock:
            if (expiry := self._backlog.next_expiry()) is not None:
                waits.append(expiry - now)
        if self.fleet.count:
            idle_left_s = self._play.idle_s - self.fleet.idle_s(now)
            waits.append(idle_left_s if idle_left_s > 0 else _IDLE_LOOK_AGAIN_S)
        return max(0.01, min(waits)) if waits else None
