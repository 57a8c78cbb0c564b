"""A bound on the memory that reading a stranger's file may take.

What a page, a dictionary or a list unfolds to stands nowhere that could be trusted: 500 bytes can
say a gigabyte. Under the bound an allocation fails, and so the file does, not the process.

pyarrow's own allocator reserves a gigabyte when it is first used, and takes from that without
asking. With ARROW_DEFAULT_MEMORY_POOL=system there is none, and the bound is what it says.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

# A row group's pages as they are stored, one page of each column as it is read, and some records.
MAX_BYTES_MORE = 1 << 30
pa.allocate_buffer(1)  # reserved now, it does not count later
_STATM, _DATA = Path("/proc/self/statm"), 5  # pages that hold data, not those only reserved


@contextmanager
def bounded_memory(more: int = MAX_BYTES_MORE) -> Iterator[None]:
    """Let the process take *more* bytes than it has, where the system can tell; then as before.

    Raises:
        MemoryError: what is done within takes more.
    """
    if not _STATM.exists():
        yield
        return
    has = int(_STATM.read_text().split()[_DATA]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [has + more, *(bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
