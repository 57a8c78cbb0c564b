"""What one invocation did and took: collected on the way, printed as one line at its end."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from headrace_runtime.monitoring import emf
from headrace_runtime.monitoring.cost import Price

# Lambda loads a function ahead of its first call under this; nobody waits for it.
_AHEAD: Final = "provisioned-concurrency"

MIXED: Final = "MIXED"


class Invocation:
    """Collects what one invocation did.

    Attributes:
        ids: by which its log lines are found: Lambda's request id, and the API's where it has one.
        metrics: what was counted and measured so far, by name; a list holds one value an event.
    """

    __slots__ = (
        "_began_ns",
        "_clock_ns",
        "_code",
        "_lap_ns",
        "_version",
        "_watch",
        "ids",
        "metrics",
    )

    def __init__(self, watch: "Watch", ids: dict[str, str]) -> None:
        self._watch = watch
        self.ids = ids
        self.metrics: dict[str, int | float | list[float]] = {}
        self._version: dict[str, str] | None = None
        self._code: tuple[str, str] | None = None
        self._clock_ns = watch.clock_ns
        self._began_ns = self._lap_ns = watch.clock_ns()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.write(self._line())

    def routed(self, model: str, version: int) -> None:
        """Note the registered version that the work is for; metrics are kept for it as well."""
        self._version = {"model": model, "version": str(version)}

    def lap(self, part: str) -> None:
        """Ascribe the time since the last lap, or since the beginning, to `<part>Ms`."""
        now = self._clock_ns()
        self.metrics[part] = (now - self._lap_ns) // 1000 / 1000
        self._lap_ns = now

    def count(self, metric: str, amount: float = 1) -> None:
        """Add to a metric."""
        before = self.metrics.get(metric, 0)
        if not isinstance(before, list):
            self.metrics[metric] = before + amount

    def queued(self, sent_ms: int) -> None:
        """Note that a message, sent at that time, was taken from its queue now."""
        ages = self.metrics.setdefault("QueueAgeMs", [])
        if isinstance(ages, list):
            ages.append(max(0, self._watch.now_ms() - sent_ms))

    def refused(self, metric: str, code: str) -> None:
        """Count what ended otherwise than asked, by its code: an error's, or a rule's.

        A line has one code: of several messages that failed in several ways, it is `MIXED`.
        """
        self.count(metric)
        mixed = self._code is not None and self._code != (metric, code)
        self._code = metric, MIXED if mixed else code

    def _line(self) -> bytes:
        watch, metrics = self._watch, self.metrics
        took_ns = self._clock_ns() - self._began_ns
        metrics["LatencyMs"] = took_ns // 1000 / 1000
        metrics["EstimatedCostUsd"] = watch.price.usd(took_ns)
        if watch.cold:
            watch.cold = False
            metrics["ColdStart"] = 1
        values: dict[str, emf.Value] = {"function": watch.function, **metrics, **self.ids}
        if self._version is not None:
            values |= self._version
        by_code = None
        if self._code is not None:
            by_code, values["code"] = self._code
        return emf.line(
            values,
            tuple(metrics),
            now_ms=watch.now_ms(),
            by_version=self._version is not None,
            by_code=by_code,
            to_json=watch.to_json,
            namespace=watch.namespace,
        )


class Watch:
    """Begins the invocations of one function, and gives their lines to *write*.

    Args:
        function: its folder's name, the first dimension of every metric.
        environ: Lambda's: the function's memory, and how it was started.
        clock_ns: nanoseconds that never run back.
        now_ms: milliseconds since 1970, UTC.
        write: takes a line, and never fails.
        to_json: makes one of a line's members.

    Attributes:
        cold: whether the next invocation is the process's first, and somebody waited for its start.
    """

    def __init__(
        self,
        function: str,
        environ: Mapping[str, str],
        *,
        clock_ns: Callable[[], int],
        now_ms: Callable[[], int],
        write: Callable[[bytes], None],
        to_json: emf.ToJson,
    ) -> None:
        self.function = function
        self.clock_ns = clock_ns
        self.now_ms = now_ms
        self.write = write
        self.to_json = to_json
        self.price = Price(int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")))
        self.namespace = environ.get("POWERTOOLS_METRICS_NAMESPACE", emf.NAMESPACE)
        self.cold = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != _AHEAD

    def begin(self, function_request_id: str) -> Invocation:
        """Begin one; it is a context whose end prints it."""
        return Invocation(self, {"function_request_id": function_request_id})
