"""How many instances an endpoint of the local cloud should have."""

import pytest

from infra.local.sagemaker import scaling
from infra.local.sagemaker.hosted import Scaling
from infra.local.sagemaker.scaling import wanted_instances

FROM_ZERO = Scaling(least=0, most=3, wakes=True, backlog_target=5.0)
ASLEEP = Scaling(least=0, most=3, wakes=False, backlog_target=5.0)
ONE_AT_LEAST = Scaling(least=1, most=3, wakes=False, backlog_target=None)


@pytest.fixture(autouse=True)
def large_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "MOST_HERE", 8)


@pytest.mark.parametrize(
    ("policies", "count", "backlog", "is_idle", "wanted"),
    [
        (FROM_ZERO, 0, 0, True, 0),
        (FROM_ZERO, 0, 1, True, 1),
        (FROM_ZERO, 0, 50, True, 1),  # the step policy adds one; tracking begins with an instance
        (FROM_ZERO, 1, 5, False, 1),
        (FROM_ZERO, 1, 6, False, 2),
        (FROM_ZERO, 1, 50, False, 3),
        (FROM_ZERO, 3, 0, False, 3),
        (FROM_ZERO, 3, 0, True, 0),
        (FROM_ZERO, 3, 1, True, 3),
        (ASLEEP, 0, 50, True, 0),
        (ASLEEP, 1, 50, False, 3),
        (ONE_AT_LEAST, 0, 0, True, 1),
        (ONE_AT_LEAST, 2, 0, True, 1),
        (ONE_AT_LEAST, 1, 50, False, 1),
    ],
)
def test_scaling_goes_by_its_policies(policies, count, backlog, is_idle, wanted):
    assert wanted_instances(count, backlog, scaling=policies, fixed=1, is_idle=is_idle) == wanted


@pytest.mark.parametrize(
    ("count", "backlog", "wanted"),
    [(0, 0, 0), (0, 1, 2), (1, 0, 2), (2, 9, 2)],  # of none that was not needed yet, none
)
def test_without_policies_the_count_is_the_initial_one(count, backlog, wanted):
    assert wanted_instances(count, backlog, scaling=None, fixed=2, is_idle=True) == wanted


def test_no_policy_brings_more_instances_than_the_machine_has_processors(monkeypatch):
    monkeypatch.setattr(scaling, "MOST_HERE", 2)

    assert wanted_instances(1, 500, scaling=FROM_ZERO, fixed=1, is_idle=False) == 2
    assert wanted_instances(0, 1, scaling=None, fixed=9, is_idle=False) == 2
