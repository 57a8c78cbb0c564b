"""Every record has an answer or a reason, however the model takes records."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.record_runs import Answers, RecordRuns, rows_together
from headrace_runtime.codec.records import Records
from headrace_runtime.errors import InferenceFailed, ModelUnfit
from headrace_runtime.inference.process_failures import (
    InferenceCrashed,
    InferenceTimedOut,
    ModelKills,
)
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor


def signature(takes: Sequence[int], gives: Sequence[int]) -> Signature:
    x = TensorSpec("x", Datatype.FP32, tuple(takes))
    return Signature((x,), (TensorSpec("y", Datatype.FP32, tuple(gives)),))


def records(values: Sequence[float]) -> Records:
    rows = np.arange(1, len(values) + 1)
    x = np.array(values, np.float32)
    return Records(rows, rows + 1, (Tensor("x", Datatype.FP32, x),))


class Model:
    """Gives what *function* makes of the array; fails on negative numbers; counts its runs."""

    def __init__(self, function=lambda x: x * 2) -> None:
        self.function = function
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        x = tensors[0].array
        self.sizes.append(x.shape)
        if (x < 0).any():
            raise InferenceFailed("the model cannot run on these values")
        return [Tensor("y", Datatype.FP32, np.asarray(self.function(x), np.float32))]


def answered(model: Model, given: Records, shape: Signature, at_once: int = 4) -> list[Answers]:
    return list(RecordRuns(model, shape, rows_at_once=at_once).answers(given))


def values(answers: list[Answers]) -> dict[int, list]:
    return {
        int(row): a.outputs[0].array[i].tolist() for a in answers for i, row in enumerate(a.rows)
    }


def test_records_run_together_up_to_the_bound():
    model = Model()

    answers = answered(model, records([1, 2, 3, 4, 5]), signature([-1], [-1]))

    assert model.sizes == [(4,), (1,)]
    assert values(answers) == {1: 2.0, 2: 4.0, 3: 6.0, 4: 8.0, 5: 10.0}


@given(st.lists(st.sampled_from([1.0, 2.0, -1.0]), max_size=40))
def test_only_the_guilty_records_have_no_answer(xs):
    answers = answered(Model(), records(xs), signature([-1], [-1]), at_once=16)

    assert values(answers) == {i: x * 2 for i, x in enumerate(xs, 1) if x > 0}
    assert [(b.row, b.line, b.code) for a in answers for b in a.bad] == [
        (i, i + 1, "INFERENCE_FAILED") for i, x in enumerate(xs, 1) if x < 0
    ]


def test_a_model_that_takes_one_record_is_run_for_each():
    model = Model()

    answers = answered(model, records([1, -2, 3]), signature([1], [1]))

    assert model.sizes == [(1,), (1,), (1,)]
    assert values(answers) == {1: 2.0, 3: 6.0}
    assert answers[1].bad[0].row == 2


def test_a_model_that_takes_a_scalar_is_run_for_each():
    model = Model()

    assert values(answered(model, records([1, 2]), signature([], []))) == {1: 2.0, 2: 4.0}
    assert model.sizes == [(), ()]


@pytest.mark.parametrize(
    ("function", "gives"),
    [
        (lambda x: x.sum(), []),
        (lambda x: x.sum(keepdims=True), [1]),
        (lambda x: np.resize(x.sum(), 3), [3]),
        (lambda x: np.resize(x.sum(), 7), [-1]),
    ],
)
def test_a_model_whose_output_is_not_by_record_is_run_for_each(function, gives):
    answers = answered(Model(function), records([1, 2, 5]), signature([-1], gives))

    first = {row: np.ravel(value)[0] for row, value in values(answers).items()}
    assert first == {1: 1.0, 2: 2.0, 3: 5.0}


def test_a_model_that_takes_a_fixed_number_of_records_is_unfit():
    with pytest.raises(ModelUnfit, match="takes exactly 8 records a run"):
        answered(Model(), records([1]), signature([8], [8]))


class Deadly:
    """A model that dies of -1, is stuck with -2 and fails on -3; *most* records take no longer."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.most = most
        self.deaths = 0
        self.sizes: list[int] = []

    def __call__(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        x = tensors[0].array
        self.sizes.append(len(x))
        if (x < 0).any() or len(x) > self.most:
            self.deaths += 1
        if len(x) > self.most or (x == -2).any():
            raise InferenceTimedOut(30)
        if (x == -1).any():
            raise InferenceCrashed("SIGFPE")
        if (x == -3).any():
            raise InferenceFailed("the model cannot run on these values")
        return [Tensor("y", Datatype.FP32, x)]


ANY = signature([-1], [-1])


@pytest.mark.fault("F10", "F28")
@given(st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, -1.0, -2.0, -3.0]), max_size=120))
def test_what_crashes_and_what_is_stuck_is_named_and_all_else_answered_in_order(xs):
    runs = RecordRuns(Deadly(), ANY, rows_at_once=100, max_timed_out=120, max_crashed=120)

    answers = list(runs.answers(records(xs)))

    assert values(answers) == {i: x for i, x in enumerate(xs, 1) if x > 0}
    codes = {-1: "INFERENCE_CRASHED", -2: "INFERENCE_TIMED_OUT", -3: "INFERENCE_FAILED"}
    assert {bad.row: bad.code for a in answers for bad in a.bad} == {
        i: codes[x] for i, x in enumerate(xs, 1) if x < 0
    }
    decided = [row for a in answers for row in [*a.rows.tolist(), *(bad.row for bad in a.bad)]]
    assert decided == list(range(1, len(xs) + 1))


def test_one_deadly_record_among_4096_costs_four_processes():
    model, xs = Deadly(), [1.0] * 4096
    xs[1234] = -1.0

    answers = list(RecordRuns(model, ANY, rows_at_once=4096).answers(records(xs)))

    assert [(b.row, b.error) for a in answers for b in a.bad] == [
        (1235, "the model's process died by SIGFPE on these values")
    ]
    assert model.deaths == 4
    assert len(model.sizes) <= 1 + 3 * 16


def test_a_model_that_is_too_slow_for_so_many_is_given_fewer_from_then_on():
    model = Deadly(most=20)
    runs = RecordRuns(model, ANY, rows_at_once=4096)

    answers = [*runs.answers(records([1.0] * 4096)), *runs.answers(records([1.0] * 64))]

    assert sum(len(a.rows) for a in answers) == 4096 + 64
    assert [size for size in model.sizes if size > 20] == [4096, 256]
    assert model.sizes[-4:] == [16] * 4


def test_one_record_that_is_stuck_makes_the_others_no_slower():
    model, xs = Deadly(), [1.0] * 512
    xs[3] = -2.0

    list(RecordRuns(model, ANY, rows_at_once=256).answers(records(xs)))

    assert model.sizes[-1] == 256


@pytest.mark.fault("F11")
@pytest.mark.parametrize(
    ("deadly", "most"), [(-1.0, {"max_crashed": 5}), (-2.0, {"max_timed_out": 5})]
)
@pytest.mark.parametrize("takes", [[-1], [1]])
def test_a_model_that_kills_again_and_again_is_given_up(deadly, most, takes):
    shape = signature(takes, takes)

    given = records([1.0, *[deadly] * 5, 1.0])
    assert (
        len(values(list(RecordRuns(Deadly(), shape, rows_at_once=4, **most).answers(given)))) == 2
    )

    with pytest.raises(ModelKills, match="too many of the records"):
        list(RecordRuns(Deadly(), shape, rows_at_once=4, **most).answers(records([deadly] * 6)))


def test_a_model_that_only_fails_is_not_given_up():
    runs = RecordRuns(Deadly(), ANY, rows_at_once=64, max_crashed=0, max_timed_out=0)

    answers = list(runs.answers(records([-3.0] * 200)))

    assert sum(len(a.bad) for a in answers) == 200


@pytest.mark.parametrize(("run_ms", "rows"), [(0.0, 4096), (0.05, 4096), (20.0, 100), (9000.0, 1)])
def test_a_run_takes_some_seconds_at_most(run_ms, rows):
    assert rows_together(Profile(1.0, run_ms, 1, "", optimise=True), 4096) == rows
