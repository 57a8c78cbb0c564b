"""The instances of one endpoint: they boot, take calls, and end."""

import time
from collections.abc import Callable
from threading import Event, RLock, Thread

from infra.local.sagemaker.container_call import answers_ping
from infra.local.sagemaker.containers import Container, Containers, ModelNotLoaded
from infra.local.sagemaker.hosted import HostedModel


class Instance:
    """A place for a container; without one it boots."""

    def __init__(self) -> None:
        self.container: Container | None = None
        self.calls = 0


class Fleet:
    """Instances that run one model.

    Args:
        wake_s: before an instance begins to load the model.
        changed: called, by any thread, when an instance has booted or failed to.
    """

    def __init__(
        self,
        containers: Containers,
        model: HostedModel,
        *,
        wake_s: float,
        changed: Callable[[], None],
    ) -> None:
        self._containers, self._model = containers, model
        self._wake_s, self._changed = wake_s, changed
        self._instances: list[Instance] = []
        self._lock = RLock()
        self._closed = Event()
        self._busy_at = time.monotonic()
        self.has_loaded = False
        self.failure: str | None = None
        self.failed_at = 0.0

    @property
    def count(self) -> int:
        """How many there are, with those that boot."""
        return len(self._instances)

    @property
    def ready(self) -> int:
        """How many take calls."""
        return sum(one.container is not None for one in self._instances)

    @property
    def is_closed(self) -> bool:
        """Whether its instances were ended."""
        return self._closed.is_set()

    def idle_s(self, now: float) -> float:
        """Return for how long none has had a call."""
        with self._lock:
            return 0.0 if any(one.calls for one in self._instances) else now - self._busy_at

    def boot(self, count: int) -> None:
        """Add that many instances, in the background."""
        with self._lock:
            for _ in range(count):
                instance = Instance()
                self._instances.append(instance)
                Thread(target=self._boot, args=(instance,), name="instance", daemon=True).start()

    def resize(self, count: int) -> None:
        """Have that many instances; of those that are too many, the ones without a call go."""
        with self._lock:
            self.boot(max(0, count - len(self._instances)))
            self._instances.sort(key=lambda one: (one.container is None, -one.calls))
            ended, self._instances = self._instances[count:], self._instances[:count]
        for instance in ended:
            _end(instance)

    def take(self, concurrent: int) -> Instance | None:
        """Return the instance with the fewest calls, one call more; None if all are busy."""
        with self._lock:
            free = [one for one in self._instances if one.container and one.calls < concurrent]
            if not free:
                return None
            instance = min(free, key=lambda one: one.calls)
            instance.calls += 1
            return instance

    def give_back(self, instance: Instance) -> None:
        """Take back an instance after a call."""
        with self._lock:
            instance.calls -= 1
            self._busy_at = time.monotonic()

    def look_after(self, instance: Instance) -> None:
        """Replace an instance whose container has gone, as SageMaker does."""
        if instance.container is None or answers_ping(instance.container.url):
            return
        with self._lock:
            if instance not in self._instances or self._closed.is_set():
                return
            self._instances.remove(instance)
            self.boot(1)
        _end(instance)

    def retire(self) -> None:
        """End all instances once none has a call, in the background."""

        def end() -> None:
            while any(one.calls for one in self._instances) and not self._closed.wait(0.1):
                pass
            self.close()

        Thread(target=end, name="retire", daemon=True).start()

    def close(self) -> None:
        """End all instances."""
        self._closed.set()
        self.resize(0)

    def _boot(self, instance: Instance) -> None:
        if self._closed.wait(self._wake_s):
            return
        try:
            container = self._containers.run(self._model)
        except ModelNotLoaded as error:
            with self._lock:
                if instance in self._instances:
                    self._instances.remove(instance)
                self.failure, self.failed_at = error.reason, time.monotonic()
        else:
            with self._lock:
                kept = instance in self._instances
                if kept:
                    instance.container = container
                    self.has_loaded, self._busy_at = True, time.monotonic()
            if not kept:
                container.stop()
        self._changed()


def _end(instance: Instance) -> None:
    if instance.container is not None:
        instance.container.stop()
