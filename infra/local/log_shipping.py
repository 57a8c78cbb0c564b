"""What functions print, for `aws logs tail` and its like, as on AWS: logs, and metrics of them."""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.emf_metrics import EmfMetrics

_EVERY_S = 1.0
# CloudWatch's own limit is 10,000 events and 1 MB a call.
_MAX_BYTES = 1 << 18
_STREAM = "local"


class LogShipping:
    """Copies what is added to log files into CloudWatch log groups, a second later at most.

    Lines in Embedded Metric Format become metrics as well.

    Args:
        files: by log group.
    """

    def __init__(self, files: Mapping[str, Path], session: boto3.Session) -> None:
        self._files = {
            group: (path, path.stat().st_size if path.exists() else 0)
            for group, path in files.items()
        }
        self._logs = session.client("logs")
        self._metrics = EmfMetrics(session)
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="log-shipping", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Copy nothing more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_S):
            for group, (path, done) in list(self._files.items()):
                with contextlib.suppress(OSError, BotoCoreError, ClientError):
                    self._files[group] = path, done + self._ship(group, path, done)

    def _ship(self, group: str, path: Path, done: int) -> int:
        """Copy whole lines from an offset on, and return how many bytes they were."""
        if not path.exists() or path.stat().st_size <= done:
            return 0
        with path.open("rb") as file:
            file.seek(done)
            data = file.read(_MAX_BYTES)
        whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == _MAX_BYTES else b"")
        lines = [line for line in whole.decode("utf-8", "replace").splitlines() if line]
        if lines:
            now_ms = int(time.time() * 1000)
            self._open_stream(group)
            self._logs.put_log_events(
                logGroupName=group,
                logStreamName=_STREAM,
                logEvents=[{"timestamp": now_ms, "message": line} for line in lines],
            )
            with contextlib.suppress(BotoCoreError, ClientError):  # or the lines would come again
                self._metrics.send(lines)
        return len(whole)

    def _open_stream(self, group: str) -> None:
        exists = self._logs.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):
            self._logs.create_log_group(logGroupName=group)
        with contextlib.suppress(exists):
            self._logs.create_log_stream(logGroupName=group, logStreamName=_STREAM)
