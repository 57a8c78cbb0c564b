"""Whether a job goes to a GPU: rules, the first of which that has something to say decides."""

from collections.abc import Callable
from dataclasses import dataclass

from headrace_runtime.batch.estimate import Estimate, on_gpu, on_lambda
from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.means import GpuMeans, Means
from headrace_runtime.batch.plan import lambda_shard_rows
from headrace_runtime.model.acceleration import Accelerator
from headrace_runtime.model.manifest import Manifest

# Of a model that takes one record a run, each is a request of its own: more than that are not
# worth it by themselves.
MAX_SINGLE_BODIES = 10_000

Verdict = tuple[bool, str]  # whether on a GPU, and why


@dataclass(frozen=True, slots=True)
class Case:
    """A job that is to be placed.

    Attributes:
        deadline_s: in so many seconds it should have ended; None where nobody said.
    """

    extent: Extent
    manifest: Manifest
    means: Means
    deadline_s: int | None = None

    @property
    def model_s(self) -> float:
        """VCPU seconds of the model, all records together."""
        return self.extent.rows * self.manifest.profile.ms_per_row / 1000

    @property
    def rows_at_once(self) -> int:
        """Records of one request to a GPU, at most."""
        return self.manifest.archive.rows_at_once if self.manifest.archive else 1

    @property
    def lambda_shard_rows(self) -> int:
        """Records of each shard that functions work; 0 where its bytes alone count."""
        return lambda_shard_rows(self.extent, self.manifest.profile)

    @property
    def fits_lambda(self) -> bool:
        """Whether the model has enough memory in a function."""
        return self.manifest.profile.peak_memory_bytes <= self.means.models_bytes

    def on_lambda(self) -> Estimate:
        """Return what it takes there."""
        return on_lambda(self.extent, self.manifest.profile, self.means)

    def on_gpu(self, gpu: GpuMeans) -> Estimate:
        """Return what it takes at the stage's endpoint."""
        return on_gpu(
            self.extent, self.manifest.profile, self.means, gpu, rows_at_once=self.rows_at_once
        )


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A job that may go to a GPU, with what it takes here and there."""

    case: Case
    gpu: GpuMeans
    here: Estimate
    there: Estimate


def verdict(case: Case) -> Verdict:
    """Return whether a job goes to a GPU, and why: one sentence, with the figures that decided."""
    gpu, bar = case.means.gpu, barred(case)
    if bar or gpu is None:
        asks = case.manifest.acceleration.accelerator is Accelerator.GPU
        return False, f"{_lambda(case)}; {'the model asks for a GPU, but ' if asks else ''}{bar}"
    weighed = _Weighed(case, gpu, case.on_lambda(), case.on_gpu(gpu))
    for rule in _RULES:
        said = rule(weighed)
        if said is not None:
            return said
    return False, f"{_lambda(case)}, a GPU in {_figures(weighed.there)}"


def barred(case: Case) -> str:
    """Return what keeps a job from GPUs whatever it would take there; "" where nothing does."""
    manifest, gpu = case.manifest, case.means.gpu
    if manifest.acceleration.accelerator is Accelerator.NEVER:
        return "the model is never to run on a GPU"
    if manifest.archive is None:
        return f"the model cannot run on one: {manifest.unfit_for_gpu}"
    if gpu is None:
        return "this stage has none"
    if manifest.size_bytes > gpu.instance.family.memory_gb << 30:
        return f"the model's {_mb(manifest.size_bytes)} are more than {gpu.instance.name} has"
    return _above_the_budget(gpu, case.on_gpu(gpu).cost_usd)


def _above_the_budget(gpu: GpuMeans, cost_usd: float) -> str:
    spent, allowed = f"GPUs have cost {_usd(gpu.spent_usd)} this month", _usd(gpu.monthly_usd)
    if gpu.spent_usd >= gpu.monthly_usd:
        return f"{spent}, and the stage allows {allowed}"
    if gpu.spent_usd + cost_usd > gpu.monthly_usd:
        return f"{spent}, the stage allows {allowed}, and it would cost about {_usd(cost_usd)}"
    return ""


def _asked(it: _Weighed) -> Verdict | None:
    if it.case.manifest.acceleration.accelerator is not Accelerator.GPU:
        return None
    return True, f"the model asks for a GPU, which answers it in {_figures(it.there)}"


def _too_large_for_lambda(it: _Weighed) -> Verdict | None:
    return None if it.case.fits_lambda else (True, _memory(it.case))


def _many_single_runs(it: _Weighed) -> Verdict | None:
    if it.case.rows_at_once > 1 or it.case.extent.rows <= MAX_SINGLE_BODIES:
        return None
    requests = f"{it.case.extent.rows:,} requests to a GPU"
    return False, f"{_lambda(it.case)}; it takes one record a run, which were {requests}"


def _in_time(it: _Weighed) -> Verdict | None:
    deadline_s, here_s, there_s = it.case.deadline_s, it.here.seconds, it.there.seconds
    if deadline_s is None or max(here_s, there_s) <= deadline_s:
        return None
    on_one = there_s < here_s
    figures = f"Lambda takes about {here_s:,.0f} s, a GPU {there_s:,.0f} s"
    return on_one, f"{figures}, and it should have ended in {deadline_s:,} s"


def _above_the_limit(it: _Weighed) -> Verdict | None:
    if it.case.model_s <= it.gpu.cpu_limit_s:
        return None
    each = f"{it.case.extent.rows:,} records of {it.case.manifest.profile.ms_per_row:,.3g} ms"
    limit = f"the stage's limit of {it.gpu.cpu_limit_s:,.0f} s"
    return True, f"{each} are {it.case.model_s:,.0f} s of a vCPU, above {limit}"


def _cheaper(it: _Weighed) -> Verdict | None:
    if it.there.cost_usd >= it.here.cost_usd:
        return None
    return True, f"a GPU costs about {_usd(it.there.cost_usd)}, Lambda {_usd(it.here.cost_usd)}"


_RULES: tuple[Callable[[_Weighed], Verdict | None], ...] = (
    _asked,
    _too_large_for_lambda,
    _many_single_runs,
    _in_time,
    _above_the_limit,
    _cheaper,
)


def _lambda(case: Case) -> str:
    if not case.fits_lambda:
        return f"Lambda will fail it, as {_memory(case)}"
    return f"Lambda answers it in {_figures(case.on_lambda())}"


def _memory(case: Case) -> str:
    took, has = case.manifest.profile.peak_memory_bytes, case.means.models_bytes
    return f"the model takes {_mb(took)} of memory as it runs, and a function has {_mb(has)} for it"


def _figures(estimate: Estimate) -> str:
    return f"about {estimate.seconds:,.0f} s for {_usd(estimate.cost_usd)}"


def _usd(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.1 else f"${usd:.4f}"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes >> 20:,} MB"
