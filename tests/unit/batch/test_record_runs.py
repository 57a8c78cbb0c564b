"""Every record has an answer or a reason, however the model takes records."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.record_runs import Answers, RecordRuns
from headrace_runtime.codec.records import Records
from headrace_runtime.errors import InferenceFailed, ModelUnfit
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
