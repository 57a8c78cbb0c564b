import pytest

from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.acceleration import Acceleration, Accelerator, unknown_mark

GPU, NEVER = Accelerator.GPU, Accelerator.NEVER
MARKS = {
    "": Acceleration(),
    "+gpu": Acceleration(GPU),
    "+never": Acceleration(NEVER),
    "+realtime": Acceleration(realtime=True),
    "+tensorrt": Acceleration(tensorrt=True),
    "+gpu+realtime": Acceleration(GPU, realtime=True),
    "+realtime+tensorrt": Acceleration(realtime=True, tensorrt=True),
    "+gpu+realtime+tensorrt": Acceleration(GPU, realtime=True, tensorrt=True),
}


@pytest.mark.parametrize(("mark", "chosen"), MARKS.items())
def test_every_choice_has_its_mark_and_is_known_by_it(mark, chosen):
    assert chosen.mark == mark
    assert Acceleration.of_mark(mark) == chosen


@pytest.mark.parametrize(
    "mark", ["+auto", "+realtime+gpu", "+never+realtime", "+tpu", "gpu", "+", "+gpu+gpu"]
)
def test_a_mark_that_no_choice_has_is_none(mark):
    assert Acceleration.of_mark(mark) is None


@pytest.mark.parametrize("chosen", MARKS.values())
def test_a_choice_is_read_back_as_it_was_written(chosen):
    assert Acceleration.from_dict(chosen.to_dict()) == chosen
    assert Acceleration.from_text(chosen.to_text()) == chosen


def test_nothing_chosen_is_the_default():
    assert Acceleration.from_dict({}) == Acceleration.from_text({}) == Acceleration()
    assert Acceleration().to_text() == {}


@pytest.mark.parametrize("also", [{"realtime": True}, {"tensorrt": True}])
def test_never_is_never(also):
    with pytest.raises(InvalidInput, match="never goes with neither realtime nor tensorrt"):
        Acceleration(NEVER, **also)


@pytest.mark.parametrize(
    "metadata", [{"accelerator": "Gpu"}, {"realtime": "True"}, {"tensorrt": ""}, {"realtime": " 1"}]
)
def test_metadata_are_not_guessed_at(metadata):
    with pytest.raises(InvalidInput, match="must be"):
        Acceleration.from_text(metadata)


def test_what_cannot_be_read_is_marked_by_what_it_said_and_as_no_choice():
    marks = {unknown_mark({"accelerator": name}) for name in ("tpu", "quantum", "+gpu")}
    assert len(marks) == 3
    assert all(mark.startswith("+unknown-") for mark in marks)
    assert not any(Acceleration.of_mark(mark) for mark in marks)
    assert unknown_mark({"accelerator": "tpu", "mtime": "1"}) == unknown_mark(
        {"accelerator": "tpu"}
    )


@pytest.mark.parametrize(
    ("chosen", "demands"),
    [
        (Acceleration(), False),
        (Acceleration(NEVER), False),
        (Acceleration(GPU), True),
        (Acceleration(realtime=True), True),
        (Acceleration(tensorrt=True), True),
    ],
)
def test_what_cannot_be_had_without_a_gpu_demands_one(chosen, demands):
    assert chosen.demands_gpu is demands
