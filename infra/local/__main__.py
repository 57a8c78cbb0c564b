"""The cloud on this machine: `python -m infra.local`, which `make up` calls.

It runs until Ctrl-C or SIGTERM. Environment:
    PORT              of the HTTP API; 8080 if left out, 0 for any that is free.
    HEADRACE_HOME     the folder of its state, `.headrace` if left out.
    HEADRACE_CACHE    where templates are kept, `.cache` if left out.
    HEADRACE_ASSEMBLY a synthesised assembly to run instead of this repository's own.
    HEADRACE_SCHEDULES_S  seconds between two runs of what has a schedule, instead of its own.
    HEADRACE_GPU_WAKE_S   seconds until an instance of SageMaker begins to load a model; 1.
    HEADRACE_GPU_IDLE_S   seconds without a request after which an endpoint scales in; 60.
    HEADRACE_GPU_SECOND_S how long a second of a request's time to live, and of time-outs, lasts; 1.
    HEADRACE_GPU_CHECK    `load`, the default: a new endpoint loads its model before it is in
                          service; `archive`: it only looks whether the archive is there.
    HEADRACE_GPU_FAULTS   what goes wrong there, see infra/local/sagemaker/faults.py.
"""

import time

_BEGAN = time.monotonic()

import errno  # noqa: E402 - the time that imports take is part of the start
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from threading import Event  # noqa: E402
from types import FrameType  # noqa: E402

from infra.local.child_processes import ChildProcesses  # noqa: E402
from infra.local.cloud import LocalCloud, MotoFailed  # noqa: E402
from infra.local.deployment import DeploymentFailed  # noqa: E402
from infra.local.first_key import FirstKeyFailed  # noqa: E402
from infra.local.home import Home, HomeInUse, export_lines  # noqa: E402
from infra.local.sagemaker.play import Play  # noqa: E402
from infra.local.schedules import ScheduleNotPlayed  # noqa: E402
from infra.local.synthesis import ROOT, SynthesisFailed, synthesised  # noqa: E402


def main() -> int:
    """Run the cloud; return the process's exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    # Ctrl-C too: a shell has what it starts in the background ignore it.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _interrupt)
    port = _port(os.environ.get("PORT", "8080"))
    if port is None:
        return _fail("PORT must be a number from 0 to 65535.")
    schedules_s = _seconds(os.environ.get("HEADRACE_SCHEDULES_S"))
    home = Home(Path(os.environ.get("HEADRACE_HOME", ROOT / ".headrace")).resolve())
    try:
        cloud = LocalCloud(home, port=port, schedules_s=schedules_s, play=_play())
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _fail(f"Port {port} is in use. Choose another with PORT=, or 0 for any.")
        return _fail(f"The local cloud cannot start: {error}")
    except HomeInUse as error:
        return _fail(str(error))
    try:
        return _run(cloud)
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cloud.stop()


def _run(cloud: LocalCloud) -> int:
    try:
        variables = cloud.start(_assembly)
    except SynthesisFailed as error:
        return _fail(f"The CDK app failed:\n{error}")
    except DeploymentFailed as error:
        return _fail(f"The template could not be deployed: {error}")
    except ScheduleNotPlayed as error:
        return _fail(f"The template has a schedule that cannot be played: {error}")
    except FirstKeyFailed as error:
        return _fail(f"No key could be made:\n{error}")
    except MotoFailed as error:
        return _fail(f"moto did not start; see {error}")
    took_s = time.monotonic() - _BEGAN
    _say(export_lines(variables))
    _say(f"# Ready in {took_s:.1f} s at {variables['HEADRACE_URL']}; Ctrl-C stops it.\n")
    Event().wait()
    return 0


def _assembly(children: ChildProcesses) -> Path:
    if given := os.environ.get("HEADRACE_ASSEMBLY"):
        return Path(given)
    cache = Path(os.environ.get("HEADRACE_CACHE", ROOT / ".cache"))
    return synthesised(cache.resolve(), children)


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= 65535 else None


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.1, float(text))
    except ValueError:
        raise SystemExit("HEADRACE_SCHEDULES_S must be a number of seconds.") from None


def _play() -> Play:
    try:
        return Play.from_env(os.environ)
    except ValueError as error:
        raise SystemExit(str(error)) from None


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
