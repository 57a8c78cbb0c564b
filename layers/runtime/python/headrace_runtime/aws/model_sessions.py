"""Models by version, fetched and loaded when they are first needed."""

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.inference.session import Session
from headrace_runtime.inference.session_cache import SessionCache
from headrace_runtime.model.manifest import Manifest


def model_sessions(artifacts: Artifacts, *, memory_mb: int, threads: int) -> SessionCache:
    """Return a cache that loads what is not in it from *artifacts*.

    Args:
        artifacts: where versions lie.
        memory_mb: what loaded models may take together; see `SessionCache`.
        threads: threads of one run.
    """

    def load(manifest: Manifest) -> Session:
        with artifacts.fetched(manifest) as graph:  # mapped weights stay when the files are gone
            return Session(graph, threads=threads, optimise=manifest.profile.optimise)

    return SessionCache(memory_mb << 20, load=load)
