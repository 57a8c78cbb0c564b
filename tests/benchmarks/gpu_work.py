"""A file handed off to Triton and collected, in turn with a client that sends it there straight.

`python -m tests.benchmarks.gpu_work FILE MODEL ARRAY ROUNDS` works the file with the model so
many times; the client has the NPY file ARRAY of the same records. It prints the rounds.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime

from headrace_runtime.inference.graph_signature import signature_of
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.manifest import Manifest
from tests import worlds
from tests.benchmarks.children import printed
from tests.benchmarks.gpu import Round
from tests.benchmarks.gpu_path import GpuPath
from tests.benchmarks.gpu_world import GpuWorld, gpu_world


def main() -> None:
    """Measure what the command line names."""
    file, model, array = map(Path, sys.argv[1:4])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = stack.enter_context(gpu_world(folder))
        manifest = _published(model.read_bytes())
        world.open_endpoint(manifest)
        intake, hand_off, collect = (
            stack.enter_context(world.function(name)) for name in ("intake", "hand_off", "collect")
        )
        path = GpuPath(world, intake, hand_off, collect)
        first = folder / "first.npy"
        np.save(first, np.load(array, mmap_mode="r")[:8])
        path.work(first)  # wakes the instance, and warms the functions
        rounds = []
        for _ in range(int(sys.argv[4])):
            ours = path.work(file)
            client_s, triton_s = _sent_straight(array, world, manifest)
            peaks_mb = hand_off.peak_mb, collect.peak_mb
            rounds.append(
                Round(**asdict(ours), client_s=client_s, triton_s=triton_s, peaks_mb=peaks_mb)
            )
    sys.stdout.write(json.dumps([asdict(one) for one in rounds]))


def _published(graph: bytes) -> Manifest:
    signature = signature_of(onnxruntime.InferenceSession(graph))
    acceleration = Acceleration(Accelerator.GPU)
    return worlds.publish("measured", graph, signature, acceleration=acceleration, archive=True)


def _sent_straight(array: Path, world: GpuWorld, manifest: Manifest) -> tuple[float, float]:
    """Return the CPU seconds of a client, and of Triton for it."""
    assert world.server is not None
    assert manifest.archive is not None
    server, rows = world.server, manifest.archive.rows_at_once
    client_s, triton_s = printed("gpu_client_work", server.http_url, server.pid, array, rows)
    return client_s, triton_s


if __name__ == "__main__":
    main()
