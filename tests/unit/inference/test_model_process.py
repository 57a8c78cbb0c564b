"""A model in a process of its own: what it does to that process costs one run."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from headrace_runtime.errors import (
    DatatypeMismatch,
    DigestMismatch,
    HeadraceError,
    InferenceFailed,
    InvalidInput,
    ModelUnfit,
    Unavailable,
)
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.inference.process_failures import (
    InferenceCrashed,
    InferenceTimedOut,
    ModelKills,
    ModelTooLarge,
    RunCutShort,
)
from headrace_runtime.inference.tensor_memory import TensorMemory
from headrace_runtime.model.manifest import Manifest, Profile, StoredFile
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor
from tests import hostile_models, onnx_models
from tests.conftest import ROOT

INT32, INT64, FP32 = Datatype.INT32, Datatype.INT64, Datatype.FP32
LEAST = np.iinfo(np.int32).min
DIVISION = Signature(
    (TensorSpec("a", INT32, (-1,)), TensorSpec("b", INT32, (-1,))),
    (TensorSpec("y", INT32, (-1,)),),
)


def division() -> bytes:
    """`y = a / b`, of INT32."""
    names = [onnx_models.value(name, INT32, ["n"]) for name in ("a", "b", "y")]
    return onnx_models.model([helper.make_node("Div", ["a", "b"], ["y"])], names[:2], names[2:])


def divided(*pairs: tuple[int, int]) -> list[Tensor]:
    columns = np.array(pairs, np.int32).T
    return [Tensor(name, INT32, column) for name, column in zip("ab", columns, strict=True)]


def floats(*values: float, columns: int = 4) -> list[Tensor]:
    return [Tensor("x", FP32, np.repeat(np.array([values], np.float32).T, columns, axis=1))]


class Registry:
    """Versions on the disk, and how often each was fetched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fetches: list[str] = []

    def manifest(
        self, graph: bytes, signature: Signature, *, mib: int = 1, optimise: bool = True
    ) -> Manifest:
        digest = sha256(graph).hexdigest()
        (self._folder / digest).write_bytes(graph)
        files = (StoredFile(f"artifacts/{digest}/model.onnx", digest, len(graph)),)
        profile = Profile(1.0, 0.1, mib << 20, "1.32.0", optimise=optimise)
        return Manifest("m", 1, digest, len(graph), "", signature, files, profile, "")

    def identity(self, datatype: Datatype = FP32, shape: tuple[int, ...] = (-1, 4)) -> Manifest:
        free = [f"n{i}" if length < 0 else length for i, length in enumerate(shape)]
        graph = onnx_models.identity(datatype, free)
        return self.manifest(graph, onnx_models.identity_signature(datatype, shape))

    @contextmanager
    def fetched(self, manifest: Manifest) -> Iterator[Path]:
        self.fetches.append(manifest.digest)
        path = self._folder / "fetched.onnx"
        path.write_bytes((self._folder / manifest.digest).read_bytes())
        try:
            yield path
        finally:
            path.unlink()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def process(registry: Registry) -> Iterator[ModelProcess]:
    memory_bytes = 5 << 19  # two and a half MiB
    with ModelProcess(
        threads=1, memory_bytes=memory_bytes, fetched=registry.fetched, run_limit_s=2.0
    ) as process:
        yield process


@pytest.fixture
def run(process: ModelProcess) -> Callable[..., list[np.ndarray]]:
    def predicted(manifest: Manifest, tensors: list[Tensor], left_s: float = 60) -> list:
        return [tensor.array for tensor in process.predict(manifest, tensors, left_s=left_s)]

    return predicted


# --- tensors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("datatype", [d for d in Datatype if d is not Datatype.BYTES])
def test_every_datatype_goes_both_ways_bit_by_bit(registry, process, datatype):
    bits = np.random.default_rng(7).integers(0, 256, 3 * 4 * datatype.size_bytes, np.uint8)
    if datatype is Datatype.BOOL:
        bits &= 1
    array = bits.view(datatype.dtype).reshape(3, 4)

    (y,) = process.predict(registry.identity(datatype), [Tensor("x", datatype, array)], left_s=60)

    assert (y.name, y.datatype, y.shape) == ("y", datatype, (3, 4))
    assert y.array.tobytes() == array.tobytes()


def test_text_goes_both_ways(registry, run):
    texts = np.array([[b"", "ä".encode()], [b"x" * 100_000, b"\n"]], np.object_)

    (y,) = run(registry.identity(Datatype.BYTES, (-1, 2)), [Tensor("x", Datatype.BYTES, texts)])

    assert y.tolist() == texts.tolist()


@pytest.mark.parametrize("shape", [(), (0, 4), (1,), (2, 3, 0)])
def test_scalars_and_what_is_empty_go_both_ways(registry, run, shape):
    array = np.ones(shape, np.float32)

    (y,) = run(registry.identity(FP32, tuple(-1 for _ in shape)), [Tensor("x", FP32, array)])

    assert y.shape == shape
    assert y.tolist() == array.tolist()


def test_several_tensors_and_some_that_do_not_lie_in_one_piece(registry, run):
    matrix = np.arange(10, dtype=np.float32).reshape(5, 2)
    left, right = (Tensor(n, FP32, matrix[:, i]) for i, n in enumerate(("left", "right")))

    total, scaled = run(
        registry.manifest(onnx_models.two_inputs(), onnx_models.TWO_INPUTS), [right, left]
    )

    assert total.tolist() == [1, 5, 9, 13, 17]
    assert scaled.tolist() == [0, 6, 20, 42, 72]


def test_the_files_grow_and_what_was_answered_before_stays(registry, run):
    manifest, sizes = registry.identity(), [1, 100_000, 3, 400_000, 1]
    draw = np.random.default_rng(7)
    arrays = [draw.standard_normal((size, 4), np.float32) for size in sizes]

    answers = [run(manifest, [Tensor("x", FP32, array)])[0] for array in arrays]

    assert all(map(np.array_equal, answers, arrays))


@pytest.mark.fault("F26")
def test_a_full_disk_says_nothing_about_the_values(registry, run):
    manifest = registry.identity()
    run(manifest, floats(1))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(Unavailable, match="the disk has no room"):
            run(manifest, [Tensor("x", FP32, np.zeros((1 << 17, 4), np.float32))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert run(manifest, floats(1))[0].tolist() == [[1.0] * 4]


def test_what_is_not_there_is_not_read():
    with closing(TensorMemory.new()) as memory:
        (place,) = memory.write(floats(1))

        with pytest.raises(InvalidInput, match="got 16"):
            memory.read([{**place, "shape": [1 << 20, 4], "size_bytes": 1 << 40}])


# --- models -------------------------------------------------------------------------------------


def test_a_version_is_fetched_once_and_its_files_may_go(registry, run):
    manifest = registry.manifest(onnx_models.linear(), onnx_models.linear_signature())

    answers = [run(manifest, floats(1, 0))[0].tolist() for _ in range(3)]

    assert answers == [[[6, 3, 0], [0, 1, 2]]] * 3
    assert registry.fetches == [manifest.digest]


def test_the_least_recently_used_model_leaves_for_a_new_one(registry, run):
    a, b, c = (registry.identity(FP32, (-1, columns)) for columns in (1, 2, 3))

    for manifest, columns in ((a, 1), (b, 2), (a, 1), (c, 3), (a, 1), (b, 2)):
        assert run(manifest, floats(1, columns=columns))[0].shape == (1, columns)

    assert registry.fetches == [one.digest for one in (a, b, c, b)]


def test_inputs_are_checked_before_anything_is_started(registry, process):
    with pytest.raises(DatatypeMismatch):
        process.predict(registry.identity(INT64), floats(1), left_s=60)

    assert process.pid is None


def test_what_the_model_says_comes_through(registry, run):
    manifest = registry.manifest(onnx_models.gather(), onnx_models.GATHER)

    with pytest.raises(InferenceFailed, match="cannot run on these values") as failed:
        run(manifest, [Tensor("i", INT64, np.array([7]))])

    assert type(failed.value) is InferenceFailed
    assert failed.value.facts == {"operator": "Gather"}
    assert run(manifest, [Tensor("i", INT64, np.array([3]))])[0].tolist() == [3.0]


def test_a_model_that_cannot_be_loaded_is_our_fault_and_said_so(registry, run):
    with pytest.raises(HeadraceError, match="cannot be loaded") as failed:
        run(registry.manifest(b"no model", onnx_models.linear_signature()), floats(1))

    assert type(failed.value) is HeadraceError
    assert run(registry.identity(), floats(1))[0].shape == (1, 4)


def test_a_model_whose_output_no_tensor_can_carry_is_unfit(registry, run):
    sequence = helper.make_tensor_sequence_value_info("y", onnx_models.ELEMENTS[FP32], None)
    node = helper.make_node("SequenceConstruct", ["x"], ["y"])
    graph = onnx_models.model([node], [onnx_models.value("x", FP32, ["n", 4])], [sequence])

    with pytest.raises(ModelUnfit, match="which cannot be served"):
        run(registry.manifest(graph, onnx_models.identity_signature()), floats(1))


def test_files_that_cannot_be_fetched_cost_nothing_else(registry):
    manifest, failures = registry.identity(), [1, 2]

    @contextmanager
    def fetched(manifest: Manifest) -> Iterator[Path]:
        if failures:
            failures.pop()
            raise DigestMismatch("artifacts/x", expected=manifest.digest, got="nothing")
        with registry.fetched(manifest) as path:
            yield path

    with ModelProcess(threads=1, memory_bytes=1 << 20, fetched=fetched) as process:
        for _ in range(2):
            with pytest.raises(DigestMismatch):
                process.predict(manifest, floats(1), left_s=60)
        assert process.predict(manifest, floats(1), left_s=60)[0].shape == (1, 4)


@pytest.mark.fault("F27")
def test_a_model_that_no_memory_holds_is_told_before_anything_is_started(registry, process):
    graph, signature = onnx_models.identity(), onnx_models.identity_signature()
    manifest = registry.manifest(graph, signature, mib=3)

    with pytest.raises(ModelTooLarge, match="takes 3,145,728 bytes of memory as it runs") as raised:
        process.predict(manifest, floats(1), left_s=60)

    assert raised.value.facts == {"limit_bytes": 5 << 19, "got_bytes": 3 << 20}
    assert process.pid is None
    assert registry.fetches == []


# --- deaths -------------------------------------------------------------------------------------


@pytest.mark.fault("F10")
def test_a_division_that_traps_costs_its_run_only(registry, run):
    manifest = registry.manifest(division(), DIVISION)

    assert run(manifest, divided((7, 2), (8, -1)))[0].tolist() == [3, -8]
    with pytest.raises(InferenceCrashed, match="died by SIGFPE on these values") as crashed:
        run(manifest, divided((7, 2), (LEAST, -1)))
    assert crashed.value.code == "INFERENCE_CRASHED"
    assert run(manifest, divided((LEAST, 2)))[0].tolist() == [LEAST // 2]


@pytest.mark.fault("F28")
def test_a_run_that_never_ends_is_stopped(registry, process, run):
    endless = registry.manifest(
        hostile_models.loop_forever().SerializeToString(), onnx_models.identity_signature()
    )
    run(registry.identity(), floats(1))
    pid, started = process.pid, time.monotonic()

    with pytest.raises(InferenceTimedOut, match="longer than 2 s") as late:
        run(endless, floats(1))

    assert late.value.code == "INFERENCE_TIMED_OUT"
    assert 2 <= time.monotonic() - started < 10
    assert not Path(f"/proc/{pid}").exists()
    assert run(registry.identity(), floats(1))[0].shape == (1, 4)


def test_a_run_that_the_caller_has_no_time_for_says_nothing_about_the_values(registry, run):
    endless = registry.manifest(
        hostile_models.loop_forever().SerializeToString(), onnx_models.identity_signature()
    )
    run(registry.identity(), floats(1))

    with pytest.raises(RunCutShort):
        run(endless, floats(1), left_s=1)


@pytest.mark.fault("F11")
def test_a_model_that_kills_as_it_is_loaded_is_tried_twice(registry, run):
    layer = hostile_models.layer_normalization_without_bias().SerializeToString()
    signature = onnx_models.identity_signature()
    kills = registry.manifest(layer, signature)

    with pytest.raises(ModelKills, match="died by SIGSEGV and by SIGSEGV as it loaded"):
        run(kills, floats(1))

    assert registry.fetches == [kills.digest] * 2
    assert run(registry.manifest(layer, signature, optimise=False), floats(1))[0].shape == (1, 4)


def test_a_process_that_was_killed_between_two_runs_is_started_again(registry, process, run):
    manifest = registry.identity()
    run(manifest, floats(1))
    first = process.pid
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)

    assert run(manifest, floats(2))[0].tolist() == [[2.0] * 4]
    assert process.pid not in (None, first)


def test_an_answer_that_nobody_waited_for_is_no_answer_to_the_next(registry, run):
    endless = registry.manifest(
        hostile_models.loop_forever().SerializeToString(), onnx_models.identity_signature()
    )
    run(registry.identity(), floats(1))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(endless, floats(1))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert run(registry.identity(), floats(2))[0].tolist() == [[2.0] * 4]


def test_closing_ends_the_process_and_the_files(registry, process, run):
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        run(registry.identity(), floats(1))
        pid = process.pid
        process.close()
        process.close()
        assert not Path(f"/proc/{pid}").exists()

    assert len(list(Path("/proc/self/fd").iterdir())) == before


# --- what the child has -------------------------------------------------------------------------


def test_the_process_sees_no_environment_no_folder_and_no_file_of_ours(
    registry, process, run, monkeypatch, tmp_path
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("PYTHONPATH", "/canary")
    with (tmp_path / "canary").open("w") as canary:
        os.set_inheritable(canary.fileno(), True)
        run(registry.identity(), floats(1))
    child = Path(f"/proc/{process.pid}")
    names = {pair.split(b"=")[0].decode() for pair in (child / "environ").read_bytes().split(b"\0")}
    files = [str(link.readlink()) for link in (child / "fd").iterdir()]

    assert names - {""} <= {"LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH"}
    assert str((child / "cwd").readlink()) == "/"
    assert not any("canary" in file for file in files)
    assert sum("(deleted)" in file for file in files) >= 2  # inputs and outputs
    assert "Max core file size        0" in (child / "limits").read_text()


PARENT = """
import sys
from contextlib import nullcontext
from pathlib import Path
import numpy
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.model.manifest import Manifest, Profile, StoredFile
from headrace_runtime.tensor import Datatype, Tensor
from tests import onnx_models

def predict(graph):
    manifest = Manifest("m", 1, graph, 1, "", onnx_models.identity_signature(),
        (StoredFile("a/d/model.onnx", "d", 1),), Profile(1.0, 0.1, 1, "", optimise=True), "")
    x = Tensor("x", Datatype.FP32, numpy.ones((1, 4), numpy.float32))
    process.predict(manifest, [x], left_s=600)

process = ModelProcess(
    threads=1, memory_bytes=1, fetched=lambda one: nullcontext(Path(one.digest)), run_limit_s=600
)
predict(sys.argv[1])
print(process.pid, flush=True)
predict(sys.argv[2])
"""


@pytest.mark.fault("F6")
def test_the_process_is_gone_when_its_parent_is_killed(tmp_path):
    identity, endless = tmp_path / "identity.onnx", tmp_path / "endless.onnx"
    identity.write_bytes(onnx_models.identity())
    endless.write_bytes(hostile_models.loop_forever().SerializeToString())
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, identity, endless], cwd=ROOT, stdout=subprocess.PIPE
    ) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.5)  # it is in the endless run by now
        assert _runs(pid)
        parent.kill()
    deadline = time.monotonic() + 10

    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not _runs(pid)


def test_a_process_whose_parent_is_gone_already_ends_at_once():
    code = (
        "import sys; from headrace_runtime.inference.bare_process import die_with_parent;"
        "sys.argv.append('1' if sys.argv[1] == 'gone' else str(__import__('os').getppid()));"
        "die_with_parent(); print('lives on')"
    )

    lives = {
        parent: subprocess.run(
            [sys.executable, "-c", code, parent], cwd=ROOT, capture_output=True, check=True
        ).stdout
        for parent in ("gone", "here")
    }

    assert lives == {"gone": b"", "here": b"lives on\n"}


def _runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_whoever_starts_the_process_imports_no_onnx_runtime():
    code = (
        "import sys, headrace_runtime.inference.model_process, headrace_runtime.batch.record_runs;"
        "print(*sys.modules)"
    )
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout

    assert {"onnxruntime", "onnx", "multiprocessing"} & set(names.decode().split()) == set()
