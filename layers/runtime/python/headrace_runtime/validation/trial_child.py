"""What the second limited child runs: load the model and run it on trial, measured."""

from dataclasses import replace
from functools import partial
from time import perf_counter, process_time
from typing import Any

import numpy as np
import onnxruntime as ort

from headrace_runtime.errors import ModelRefused, ModelUnfit
from headrace_runtime.inference.class_maps import labels_of
from headrace_runtime.inference.graph_signature import CLASS_MAPS, signature_of
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Array
from headrace_runtime.validation import sample_inputs
from headrace_runtime.validation.child import Report, answer
from headrace_runtime.validation.inspection import plain
from headrace_runtime.validation.own_memory import own_memory
from headrace_runtime.validation.rows_on_trial import RowCost, answered, cost_of_row, may_be_many

_QUIET = 4  # fatal only: messages could hold values
_MEASURED_S, _MEASURED_RUNS = 0.05, 500

Outputs = list[Any]


def try_out(work: dict[str, Any], report: Report) -> dict[str, Any]:
    """Return the signature and what was measured of the model at `work["model"]`.

    Beside them `together`, whether a run of several records answered each, and `zeros_length`, of
    free dimensions in a run on nothing but zeros; None where that fails.

    Raises:
        ModelRefused: TRIAL_LOAD_FAILED, OUTPUT_TYPE, TRIAL_RUN_FAILED.
    """
    resident, started = own_memory("VmRSS"), process_time()
    session = _load(work["model"], optimise=work["optimise"])
    # Some kernels count so coarsely that a small load takes no time at all.
    load_ms = max((process_time() - started) * 1000, 0.001)
    report("loaded")
    try:
        signature = signature_of(session)
    except ModelUnfit as unfit:
        raise ModelRefused("OUTPUT_TYPE", unfit.sentence) from None
    runs = _Runs(session, signature)
    runs.try_all()
    peak = max(0, own_memory("VmHWM") - resident)  # before ever more records run together
    cost = runs.cost_of_row()
    return {
        "signature": runs.labelled().to_dict(),
        "load_ms": round(load_ms, 3),
        "run_ms": round(runs.run_ms, 3),
        "peak_memory_bytes": peak,
        "onnxruntime": ort.__version__,
        "deterministic": runs.deterministic,
        "row_ms": round(cost.ms, 6),
        "row_bytes": cost.size_bytes,
        "together": runs.together,
        "zeros_length": runs.zeros_length,
    }


def _load(path: str, *, optimise: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return ort.InferenceSession(
            path, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - bad text in a graph raises UnicodeDecodeError
        if _out_of_memory(error):
            raise MemoryError from None
        raise ModelRefused(
            "TRIAL_LOAD_FAILED",
            f"ONNX Runtime {ort.__version__} cannot load the model ({plain(str(error))}): export "
            "with another opset_version, 18 say, until onnxruntime.InferenceSession loads it",
        ) from None


class _Runs:
    """Runs of one session on made-up values; a run that fails says little, all failing much."""

    def __init__(self, session: ort.InferenceSession, signature: Signature) -> None:
        self._session = session
        self._signature = signature
        self._failure: Exception | None = None
        self._given: Outputs | None = None
        self._measured: tuple[int, str] | None = None  # length and kind of values
        self.run_ms = 0.0
        self.deterministic = True
        self.together = False
        self.zeros_length: int | None = None

    def try_all(self) -> None:
        """Run batches of one and two with every kind of values.

        Raises:
            ModelRefused: TRIAL_RUN_FAILED; no value could make it run.
        """
        for length in sample_inputs.lengths(self._signature):
            ran = [self._run(1, length, kind) for kind in sample_inputs.KINDS]
            if any(given is not None for given in ran):
                self.zeros_length = None if ran[0] is None else length
                self._measure(length)
                self._try_two(length)
                return
        if self._failure is None or _values_may_be_wrong(self._failure):
            return
        if _out_of_memory(self._failure):
            raise MemoryError
        raise ModelRefused(
            "TRIAL_RUN_FAILED",
            f"the model loads but cannot run ({plain(str(self._failure))}): mend the export "
            "until onnxruntime runs it on a record of zeros",
        )

    def labelled(self) -> Signature:
        """Return the signature with the classes that the runs showed.

        Raises:
            ModelRefused: OUTPUT_TYPE; a classifier never ran, so that its classes are unknown.
        """
        nodes = self._session.get_outputs()
        if self._given is None:
            if any(node.type in CLASS_MAPS for node in nodes):
                raise ModelRefused(
                    "OUTPUT_TYPE",
                    "the model gives maps of classes, and made-up records did not show which: "
                    "export with skl2onnx options={'zipmap': False}",
                )
            return self._signature
        pairs = zip(self._signature.outputs, nodes, self._given, strict=True)
        outputs = []
        for spec, node, given in pairs:
            labels = labels_of(given) if node.type in CLASS_MAPS else ()
            shape = (spec.shape[0], len(labels)) if labels else spec.shape
            outputs.append(replace(spec, shape=shape, labels=labels))
        return Signature(self._signature.inputs, tuple(outputs))

    def cost_of_row(self) -> RowCost:
        """Return what one more record costs; a run of one where records do not run together."""
        cost = None
        if self._measured is not None and self.together:
            length, kind = self._measured
            cost = cost_of_row(
                partial(self._samples, length=length, kind=kind),
                partial(self._session.run, None),
                run_ms=self.run_ms,
                time_ms=self._time,
            )
        return cost or RowCost(self.run_ms, 0)

    def _try_two(self, length: int) -> None:
        runs = [self._run(2, length, kind) for kind in sample_inputs.KINDS]
        given = [outputs for outputs in runs if outputs is not None]
        self.together = (
            may_be_many(self._signature)
            and bool(given)
            and all(answered(self._signature, outputs, 2) for outputs in given)
        )

    def _samples(self, batch: int, *, length: int, kind: str) -> dict[str, Array]:
        return sample_inputs.samples(self._signature, batch=batch, length=length, kind=kind)

    def _run(self, batch: int, length: int, kind: str) -> Outputs | None:
        try:
            given: Outputs = self._session.run(None, self._samples(batch, length=length, kind=kind))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the model's
            self._failure = error
            return None
        if self._given is None:
            self._given = given
        return given

    def _measure(self, length: int) -> None:
        """Time a run on warm ground, and compare it with another on the same values."""
        for kind in reversed(sample_inputs.KINDS):
            feeds = self._samples(1, length=length, kind=kind)
            try:
                first = self._session.run(None, feeds)
                second = self._session.run(None, feeds)
            except Exception:  # noqa: BLE001, S112 - this kind of values does not suit the model
                continue
            self.deterministic = all(map(_same, first, second))
            self.run_ms = self._time(feeds)
            self._measured = length, kind
            return

    def _time(self, feeds: dict[str, Array]) -> float:
        """Return CPU milliseconds of a run, from as many as fit: the clock may be a coarse one."""
        started, end = process_time(), perf_counter() + _MEASURED_S
        count = 0
        while count == 0 or (count < _MEASURED_RUNS and perf_counter() < end):
            self._session.run(None, feeds)
            count += 1
        return max((process_time() - started) * 1000 / count, 0.001)


def _values_may_be_wrong(failure: Exception) -> bool:
    """Whether other values than made-up ones could run: an index out of range, a bad length."""
    kinds = ort.capi.onnxruntime_pybind11_state
    return not _out_of_memory(failure) and isinstance(
        failure, (kinds.InvalidArgument, kinds.Fail, kinds.RuntimeException)
    )


def _out_of_memory(failure: Exception) -> bool:
    """Whether the limit stopped it: ONNX Runtime has no class of errors for that."""
    return "bad_alloc" in str(failure) or "Failed to allocate memory" in str(failure)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray):
        return bool(np.array_equal(first, second, equal_nan=first.dtype.kind == "f"))
    return bool(first == second)


if __name__ == "__main__":
    answer(try_out)
