"""Which versions need something of SageMaker, and what."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from headrace_runtime.batch.job import Job
from headrace_runtime.batch.placement import Engine
from headrace_runtime.model.acceleration import Accelerator
from headrace_runtime.model.alias import Alias
from headrace_runtime.model.manifest import Manifest

Version = tuple[str, int]  # a model's name and the number
REALTIME = "-rt"  # how the names of endpoints end that answer at once


@dataclass(frozen=True, slots=True)
class Need:
    """What one version needs of SageMaker, beside a SageMaker model, which all do.

    Attributes:
        archive_key: of the `model.tar.gz`, in the models bucket.
        tensorrt: whether an instance compiles the graph as it starts.
        asynchronous: whether it needs an endpoint that takes bodies through S3.
        realtime: whether it needs one that answers at once.
        gpu_alone: whether it runs on nothing but a GPU.
        oldest_job: when the oldest unfinished job was made that SageMaker answers with it, ISO
            8601; None where there is none.
        awaited: whether such a job waits for the endpoint that takes bodies through S3.
    """

    model: str
    version: int
    archive_key: str
    tensorrt: bool = False
    asynchronous: bool = True
    realtime: bool = False
    gpu_alone: bool = False
    oldest_job: str | None = None
    awaited: bool = False

    def endpoints(self, name: str) -> dict[str, bool]:
        """Return the names of its endpoints, and of each whether it answers at once.

        Args:
            name: of its SageMaker model.
        """
        wanted = {name: self.asynchronous, name + REALTIME: self.realtime}
        return {one: one != name for one, is_so in wanted.items() if is_so}

    def may_sleep(self, endpoint: str) -> bool:
        """Return whether an endpoint of these may have no instance: none is waited for."""
        return self.oldest_job is None and not endpoint.endswith(REALTIME)


def needs(
    aliases: Mapping[str, Iterable[Alias]],
    jobs: Iterable[Job],
    manifest: Callable[[str, int], Manifest | None],
) -> dict[Version, Need]:
    """Return what each version needs that may run on a GPU and is named or worked with.

    A version has a need while an alias or an alias's canary names it, or an unfinished job is
    answered with it by SageMaker; those that jobs wait for come first.

    Args:
        aliases: all, by model.
        jobs: those that have not ended.
        manifest: gives the facts of a version, None where there is no such.
    """
    worked: dict[Version, list[Job]] = {}
    for job in jobs:
        if job.on_gpu and not job.state.final:
            worked.setdefault(job.known_version, []).append(job)
    named = {
        (model, version)
        for model, of_model in aliases.items()
        for alias in of_model
        for version in _versions(alias)
    }
    found = {}
    for version in [*sorted(worked), *sorted(named - worked.keys())]:
        facts = manifest(*version)
        if facts is not None and facts.may_use_gpu:
            found[version] = _need(facts, worked.get(version, []), named=version in named)
    return found


def _versions(alias: Alias) -> tuple[int, ...]:
    return (alias.version,) if alias.canary is None else (alias.version, alias.canary.version)


def _need(facts: Manifest, jobs: list[Job], *, named: bool) -> Need:
    engines = {job.placement.engine for job in jobs if job.placement is not None}
    return Need(
        model=facts.model,
        version=facts.version,
        archive_key=facts.archive.file.key if facts.archive else "",
        tensorrt=facts.acceleration.tensorrt,
        asynchronous=named or Engine.ASYNC in engines,
        realtime=named and facts.acceleration.realtime,
        gpu_alone=facts.acceleration.accelerator is Accelerator.GPU,
        oldest_job=min((job.created_at for job in jobs), default=None),
        awaited=Engine.ASYNC in engines,
    )
