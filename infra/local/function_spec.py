"""What Lambda knows of a function: read from the deployed cloud, never written here."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One deployed function.

    Attributes:
        handler: `module.function`, as in `handler.lambda_handler`.
        environment: its own variables alone.
        memory_mb: more ends its process.
        timeout_s: an invocation that takes longer ends its process.
        folder: its sources, run where they lie.
        layers: our own layers' folders on its import path, run where they lie.
        packages: folders of third-party packages on its import path.
        log_group: its CloudWatch log group.
    """

    name: str
    arn: str
    handler: str
    runtime: str
    environment: dict[str, str]
    memory_mb: int
    timeout_s: int
    folder: Path
    layers: tuple[Path, ...]
    packages: tuple[Path, ...]
    log_group: str

    @property
    def sources(self) -> tuple[Path, ...]:
        """The folders whose change makes running processes stale."""
        return (self.folder, *self.layers)
