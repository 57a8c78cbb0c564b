"""Containers of models, as instances run them: an archive from S3, served on 127.0.0.1."""

import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.child_processes import ChildProcesses
from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.hosted import HostedModel

# More at once would each be slower than one after another.
_STARTS_AT_ONCE = 2


class ModelServer(Protocol):
    """What answers /ping and /invocations."""

    url: str

    def stop(self) -> None:
        """End it at once."""


class StartModelServer(Protocol):
    """Starts a server and waits until it answers; raises if it cannot."""

    def __call__(
        self,
        archive: Path,
        *,
        environment: Mapping[str, str],
        children: ChildProcesses,
        scratch: Path,
        log: Path,
    ) -> ModelServer:
        """Serve the model in model.tar.gz."""


class ModelNotLoaded(Exception):
    """A container that did not come up; `reason` is what DescribeEndpoint tells."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Container:
    """A server with the folder that is its own."""

    def __init__(self, server: ModelServer, folder: Path) -> None:
        self._server, self._folder = server, folder
        self.url = server.url

    def stop(self) -> None:
        """End it, and remove what it left."""
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Containers:
    """Runs models.

    Args:
        scratch: where they keep what they need while they run.
        logs: where each model has a file of what its containers print.
    """

    def __init__(
        self,
        start: StartModelServer,
        *,
        clients: CloudClients,
        children: ChildProcesses,
        scratch: Path,
        logs: Path,
    ) -> None:
        self._start, self._clients, self._children = start, clients, children
        self._scratch, self._logs = scratch, logs
        self._turns = BoundedSemaphore(_STARTS_AT_ONCE)

    def run(self, model: HostedModel) -> Container:
        """Start a container and wait until it answers.

        Raises:
            ModelNotLoaded: its archive is not there, or cannot be served.
        """
        folder = Path(tempfile.mkdtemp(prefix="container-", dir=self._scratch))
        try:
            archive = self._fetched(model, folder)
            with self._turns:
                server = self._start(
                    archive,
                    environment=model.environment,
                    children=self._children,
                    scratch=folder / "server",
                    log=self._logs / f"sagemaker-{model.name}.log",
                )
        except ModelNotLoaded:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        except Exception as error:  # whatever stops a server from coming up
            shutil.rmtree(folder, ignore_errors=True)
            raise ModelNotLoaded(
                f"The container did not pass the ping health check: {error}"
            ) from error
        archive.unlink(missing_ok=True)
        return Container(server, folder)

    def check(self, model: HostedModel) -> None:
        """See that a model's archive is there, and an archive.

        Raises:
            ModelNotLoaded: it is not.
        """
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            archive = self._fetched(model, Path(folder))
            try:
                with tarfile.open(archive, "r:gz") as members:
                    members.next()
            except (OSError, EOFError, tarfile.TarError) as error:
                raise ModelNotLoaded(f"Could not extract {model.archive}: {error}") from error

    def _fetched(self, model: HostedModel, folder: Path) -> Path:
        archive = folder / "model.tar.gz"
        try:
            self._clients.client("s3").download_file(
                model.archive.bucket, model.archive.key, str(archive)
            )
        except (ClientError, BotoCoreError, OSError) as error:
            raise ModelNotLoaded(
                f"Could not find model data at {model.archive}: {error}"
            ) from error
        return archive
