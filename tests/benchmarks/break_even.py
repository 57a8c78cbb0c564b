"""From where on a GPU is worth it: the estimates by which jobs are placed, over models and files.

`python -m tests.benchmarks.break_even` prints the tables of docs/performance.md. Nothing is
measured here: prices and speeds are those of `batch/gpu_prices.py`, all else `batch/estimate.py`.
"""

import sys
from collections.abc import Callable, Iterator

from headrace_runtime.batch.estimate import Estimate, on_gpu, on_lambda
from headrace_runtime.batch.extent import Extent, extent
from headrace_runtime.batch.gpu_prices import GpuInstance, gpu_instance, known_instances
from headrace_runtime.batch.means import GpuMeans, Means
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.record_rows import rows_at_once
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.monitoring.cost import Price
from headrace_runtime.tensor import Datatype
from infra.aws.limits import SHARD_BYTES
from infra.aws.stage_parts import FunctionMemory

MEMORY_MB = FunctionMemory().batch
ROW_MS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
CONCURRENCIES = (10, 100)
INSTANCES = ("ml.g6.xlarge", "ml.g5.xlarge")
ROW_BYTES = 148  # of a row of 20 numbers with four decimals, as text
SIGNATURE = Signature(
    (TensorSpec("x", Datatype.FP32, (FREE, 20)),), (TensorSpec("y", Datatype.FP32, (FREE, 1)),)
)
_LOAD_MS = 500.0
_HOUR_S = 3600.0
# Numbers of rows that are tried, each 2 % above the last: 1 to 100 billion.
_LADDER = sorted({round(1.02**step) for step in range(1280)})

Reach = tuple[int, int]  # the least and the most rows


def here(rows: int, row_ms: float, concurrency: int) -> Estimate:
    """Return what rows of CSV take on Lambda."""
    return on_lambda(_extent(rows), _profile(row_ms), _means(concurrency))


def there(rows: int, row_ms: float, instance: str, concurrency: int = 10) -> Estimate:
    """Return what the same takes on one instance, which is asleep at first."""
    gpu = GpuMeans(gpu_instance(instance), 1, 0.0, 0.0, 0.0)
    means = _means(concurrency)
    at_once = rows_at_once(SIGNATURE, _profile(row_ms), together=True)
    return on_gpu(_extent(rows), _profile(row_ms), means, gpu, rows_at_once=at_once)


def cheaper(row_ms: float, instance: str) -> Reach | None:
    """Return the rows with which the instance costs less than Lambda; None where it never does."""
    return _reach(
        lambda rows: there(rows, row_ms, instance).cost_usd < here(rows, row_ms, 10).cost_usd
    )


def faster(row_ms: float, instance: str, concurrency: int) -> Reach | None:
    """Return the rows with which the instance ends before so many shards at a time do."""

    def sooner(rows: int) -> bool:
        gpu = there(rows, row_ms, instance, concurrency)
        return gpu.seconds < here(rows, row_ms, concurrency).seconds

    return _reach(sooner)


def rows_of_an_hour(row_ms: float) -> int:
    """Return the rows that take an hour on Lambda, ten shards at a time."""
    return next(rows for rows in _LADDER if here(rows, row_ms, 10).seconds >= _HOUR_S)


def markdown() -> str:
    """Return the tables: prices and speeds, break-even by milliseconds a row, and an hour's job."""
    return "\n\n".join("\n".join(table) for table in (_prices(), _from(), _hours()))


def _prices() -> Iterator[str]:
    yield "| instance | GPUs | USD an hour | where and when | held to be so many vCPUs |"
    yield "|---|---|---:|---|---:|"
    families: dict[str, GpuInstance] = {}
    for one in known_instances():  # the smallest of a family comes first
        families.setdefault(one.family.gpu, one)
    for one in families.values():
        gpus = f"{one.gpus} {one.family.gpu}, {one.family.memory_gb} GB"
        price = f"{one.usd_per_hour:.3f} | {one.priced}"
        yield f"| `{one.name}` | {gpus} | {price} | {one.speed:,.0f} |"


def _from() -> Iterator[str]:
    heads = [f"{name} costs less" for name in INSTANCES]
    heads += [f"{name} is sooner than {at} shards" for at in CONCURRENCIES for name in INSTANCES]
    yield f"| ms a row | {' | '.join(heads)} |"
    yield f"|---:|{'---:|' * len(heads)}"
    for row_ms in ROW_MS:
        cells = [cheaper(row_ms, name) for name in INSTANCES]
        cells += [faster(row_ms, name, at) for at in CONCURRENCIES for name in INSTANCES]
        yield f"| {row_ms:,g} | {' | '.join(map(_said, cells))} |"


def _hours() -> Iterator[str]:
    yield (
        "| ms a row | rows of an hour, 10 at a time | Lambda | 100 at a time | "
        + " | ".join(f"`{name}`" for name in INSTANCES)
        + " |"
    )
    yield f"|---:|---:|---:|---:|{'---:|' * len(INSTANCES)}"
    for row_ms in ROW_MS:
        rows = rows_of_an_hour(row_ms)
        lambdas = [here(rows, row_ms, concurrency) for concurrency in CONCURRENCIES]
        cells = [_took(one) for one in (*lambdas, *(there(rows, row_ms, i) for i in INSTANCES))]
        yield f"| {row_ms:,g} | {_rows(rows)} | {' | '.join(cells)} |"


def _reach(holds: Callable[[int], bool]) -> Reach | None:
    those = [rows for rows in _LADDER if holds(rows)]
    return (those[0], those[-1]) if those else None


def _extent(rows: int) -> Extent:
    return extent(rows, rows * ROW_BYTES, FileFormat.CSV, SIGNATURE)


def _profile(row_ms: float) -> Profile:
    return Profile(_LOAD_MS, row_ms, 0, "", optimise=True, row_ms=row_ms)


def _means(concurrency: int) -> Means:
    return Means(SHARD_BYTES, concurrency, MEMORY_MB, Price(MEMORY_MB).usd(10**9))


def _said(reach: Reach | None) -> str:
    if reach is None:
        return "never"
    first, last = reach
    return f"from {_rows(first)}" if last == _LADDER[-1] else f"{_rows(first)} to {_rows(last)}"


def _rows(rows: int) -> str:
    for unit, name in ((10**9, " bn"), (10**6, " m"), (1000, " k")):
        if rows >= unit:
            return f"{rows / unit:.2g}{name}" if rows < 100 * unit else f"{rows / unit:.0f}{name}"
    return f"{rows}"


def _took(estimate: Estimate) -> str:
    return f"{estimate.seconds / 60:,.0f} min, USD {estimate.cost_usd:.2f}"


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
