"""How the environment says SageMaker is to be played, and what goes wrong."""

import pytest

from infra.local.sagemaker.faults import Faults
from infra.local.sagemaker.play import Play


def test_nothing_said_is_a_second_to_wake_and_a_minute_to_sleep():
    assert Play.from_env({"PATH": "/bin", "HEADRACE_GPU_INSTANCE_TYPE": "ml.g5.xlarge"}) == Play(
        wake_s=1.0, idle_s=60.0, second_s=1.0, loads_first=True, faults=Faults()
    )


def test_each_variable_is_read():
    play = Play.from_env(
        {
            "HEADRACE_GPU_WAKE_S": "0",
            "HEADRACE_GPU_IDLE_S": "2.5",
            "HEADRACE_GPU_SECOND_S": "0.01",
            "HEADRACE_GPU_CHECK": "archive",
            "HEADRACE_GPU_FAULTS": "fail=0.1, late_s=3,seed=7",
        }
    )

    assert play == Play(0.0, 2.5, 0.01, loads_first=False, faults=Faults({"fail": 0.1}, 7, 3.0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAKE_S", "soon"),
        ("IDLE_S", "-1"),
        ("SECOND_S", "nan"),
        ("CHECK", "yes"),
        ("FAULTS", "fail"),
        ("FAULTS", "fail=2"),
        ("FAULTS", "unknown=0.1"),
        ("FAULTS", "fail=often"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"HEADRACE_GPU_{name}"):
        Play.from_env({f"HEADRACE_GPU_{name}": value})


def test_a_fault_meets_the_same_ids_again_and_about_its_share_of_them():
    faults, again = Faults.parse("fail=0.2,seed=7"), Faults.parse("seed=7,fail=0.2")
    ids = [f"job.00001.1.{number:05}.1" for number in range(2000)]

    met = [one for one in ids if faults.meets("fail", one)]

    assert met == [one for one in ids if again.meets("fail", one)]
    assert 340 < len(met) < 460
    assert met != [one for one in ids if Faults.parse("fail=0.2,seed=8").meets("fail", one)]
    assert not any(faults.meets("expire", one) for one in ids)
    assert all(Faults.parse("fail=1").meets("fail", one) for one in ids)
