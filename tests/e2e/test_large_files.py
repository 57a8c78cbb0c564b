"""Ten million rows through a running cloud: one right file of results, nobody above its memory."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import httpx
import numpy as np
import pytest

from headrace import Client
from infra.local.memory_watch import held_bytes
from infra.local.process_family import family
from tests import onnx_models
from tests.e2e.conftest import Cloud, eventually

ROWS, BLOCK = 10_000_000, 200_000


@contextmanager
def memory_watched(cloud: Cloud) -> Iterator[dict[str, float]]:
    """Note the largest share of its memory that a process of each function takes meanwhile."""
    shares: dict[str, float] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            for pid in family(cloud.process.pid):
                function = function_of(pid)
                if function is not None:
                    name, memory_mb = function
                    share = held_bytes(pid) / (memory_mb << 20)
                    shares[name] = max(share, shares.get(name, 0.0))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield shares
    finally:
        over.set()
        thread.join()


def function_of(pid: int) -> tuple[str, int] | None:
    """Return the name and memory of the function that a process plays; None if it plays none."""
    try:
        if b"awslambdaric" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return None
        listed = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    except OSError:
        return None
    variables = dict(line.split("=", 1) for line in listed if "=" in line)
    return variables["POWERTOOLS_SERVICE_NAME"], int(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])


def write_rows(path: Path) -> None:
    """Write rows `i,i mod 7,2,3`, of which each hundred-thousandth has a word for a number."""
    with path.open("w") as file:
        file.write("a,b,c,d\n")
        for start in range(0, ROWS, BLOCK):
            rows = range(start, start + BLOCK)
            lines = [f"{i},{i % 7},2,3" if i % 100_000 else f"{i},x,2,3" for i in rows]
            file.write("\n".join(lines) + "\n")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_ten_million_rows_end_in_one_right_file_within_every_memory(
    cloud: Cloud, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    cloud.s3.put_object(
        Bucket=cloud.env["HEADRACE_MODELS_BUCKET"],
        Key="models/large/linear.onnx",
        Body=onnx_models.linear(),
    )
    ready = f"{cloud.url}/v2/models/large/ready"
    eventually(
        lambda: httpx.get(ready, headers=cloud.credential).status_code == 200,
        within_s=60,
        what="the model is ready",
    )
    source = tmp_path / "rows.csv"
    write_rows(source)

    with memory_watched(cloud) as shares, Client(cloud.url, cloud.api_key) as client:
        job = client.wait(client.submit(source, "large"), timeout_s=900)
        client.results(job.job_id, tmp_path)  # checks them against the manifest's checksum

    assert (job.state, job.rows_ok, job.rows_failed) == ("partial", ROWS - 100, 100)
    assert job.shards.total is not None
    assert job.shards.total > 1
    weights = np.subtract.outer(np.arange(4), np.arange(3)).astype(np.float32)
    with (tmp_path / "results.csv").open() as lines:
        assert next(lines) == "a,b,c,d,y_0,y_1,y_2\n"
        seen = 0
        while block := list(islice(lines, BLOCK)):
            got = np.loadtxt(block, delimiter=",", dtype=np.float32)
            assert np.allclose(got[:, 4:], got[:, :4] @ weights + np.arange(3), rtol=1e-5)
            expected = [i for i in range(seen, seen + len(block) + 100) if i % 100_000]
            assert [int(line.split(",", 1)[0]) for line in block] == expected[: len(block)]
            seen = expected[len(block) - 1] + 1
    assert seen == ROWS
    assert {"intake", "batch"} <= shares.keys()
    assert max(shares.values()) < 1, shares
    record_property("share of its memory", shares)
