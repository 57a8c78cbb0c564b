"""A CSV cut into shards, in a process of its own: its boundaries found, no value read.

`python -m tests.benchmarks.cutting_work SOURCE SHARD_BYTES` prints shards, records and CPU seconds.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path

from headrace_runtime.batch.cuts import ends
from headrace_runtime.codec.content import content_of
from headrace_runtime.codec.plain_format import HEAD_BYTES
from headrace_runtime.codec.records import START
from headrace_runtime.codec.shard_limit import ShardLimit
from tests.benchmarks.batch_work import SIGNATURE, from_offset


def main() -> None:
    """Cut the file that the command line names."""
    source = Path(sys.argv[1])
    with source.open("rb") as file:
        content = content_of(file.read(HEAD_BYTES), source.name)
    began_s = time.process_time()
    shards = list(
        ends(
            partial(from_offset, source),
            content,
            SIGNATURE,
            size_bytes=source.stat().st_size,
            start=START,
            limit=ShardLimit(int(sys.argv[2])),
            go_on=lambda: True,
        )
    )
    cpu_s = time.process_time() - began_s
    sys.stdout.write(json.dumps([len(shards), shards[-1][0].row - 1, cpu_s]))


if __name__ == "__main__":
    main()
