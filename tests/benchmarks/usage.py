"""What a process uses: CPU time, user and system, and memory at its peak."""

import resource
import time
from pathlib import Path

from infra.local.process_family import family


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process that runs, by its own clock."""
    return time.clock_gettime((~pid << 3) | 2)  # as pthreads makes the number of such a clock


def family_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and of all that it started and that run yet."""
    return sum(map(cpu_s, family(pid)))


def ended_children_cpu_s() -> float:
    """Return the CPU seconds of all children that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_mb(pid: int | str = "self") -> float:
    """Return the most memory that a process had resident, in MB of 2^20 bytes.

    What it maps together with other processes, libraries above all, is in it whole.
    """
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
