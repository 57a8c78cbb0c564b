import pytest

from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.record_rows import rows_at_once, takes_one
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype


def signature(given: tuple[int, ...], answered: tuple[int, ...] = (-1, 1)) -> Signature:
    return Signature(
        (TensorSpec("x", Datatype.FP32, given),), (TensorSpec("y", Datatype.FP32, answered),)
    )


def profile(row_bytes: int = 0) -> Profile:
    return Profile(1.0, 0.1, 1 << 20, "1.32.0", optimise=True, row_bytes=row_bytes)


@pytest.mark.parametrize(
    ("given", "answered", "rows"),
    [
        ((-1, 1), (-1, 1), 65_536),
        ((-1, 20), (-1, 3), 65_536),  # 80 bytes each: 77,824 would fit
        ((-1, 24), (-1, 3), 32_768),
        ((-1, 3, 224, 224), (-1, 1000), 8),  # 602,112 bytes each
        ((-1, 4), (-1, 21_841), 64),  # the outputs take most
        ((-1, -1), (-1, 2), 8_192),  # free: as of 128
        ((-1, 8 << 20), (-1, 2), 1),
    ],
)
def test_a_request_holds_records_of_three_to_six_megabytes(given, answered, rows):
    assert rows_at_once(signature(given, answered), profile(), together=True) == rows


@pytest.mark.parametrize(("row_bytes", "rows"), [(100 << 20, 16), (1 << 10, 65_536), (3 << 30, 1)])
def test_a_request_holds_no_more_records_than_memory(row_bytes, rows):
    assert rows_at_once(signature((-1, 4)), profile(row_bytes), together=True) == rows


def test_a_model_that_does_not_answer_records_together_is_given_one():
    assert rows_at_once(signature((-1, 4)), profile(), together=False) == 1


@pytest.mark.parametrize("shape", [(1, 4), (1,), ()])
def test_a_model_that_takes_one_record_a_run_is_given_one(shape):
    assert takes_one(signature(shape))
    assert rows_at_once(signature(shape), profile(), together=True) == 1


def test_a_fixed_number_of_records_is_none_that_a_file_could_have():
    with pytest.raises(ModelUnfit, match="input 'x' takes exactly 3 records a run"):
        rows_at_once(signature((3, 2)), profile(), together=True)


def test_a_model_without_inputs_takes_nothing():
    with pytest.raises(ModelUnfit, match="the model has no input"):
        takes_one(Signature((), ()))


def test_a_record_costs_what_it_costs_among_many():
    assert Profile(1.0, 2.0, 0, "", optimise=True, row_ms=0.5).ms_per_row == 0.5
    assert Profile(1.0, 2.0, 0, "", optimise=True).ms_per_row == 2.0
