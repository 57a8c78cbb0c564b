import pytest

from headrace_runtime.errors import Conflict, InvalidInput
from headrace_runtime.model.alias import Alias, Canary


@pytest.mark.parametrize("weight", [0.0, -0.1, 1.01, float("nan")])
def test_a_weight_outside_its_range_is_refused(weight):
    with pytest.raises(InvalidInput, match="weight must be in"):
        Canary(version=2, weight=weight)


@pytest.mark.parametrize(("draw", "version"), [(0.0, 2), (0.24, 2), (0.25, 1), (0.99, 1)])
def test_the_canary_serves_its_share(draw, version):
    assert Alias("live", 1, Canary(2, 0.25)).route(draw) == version


def test_without_a_canary_every_draw_is_the_version():
    assert Alias("live", 3).route(0.0) == 3


def test_promoting_lets_the_canary_serve_everyone():
    assert Alias("live", 1, Canary(2, 0.25), revision=4).promote() == Alias("live", 2, revision=5)


def test_promoting_without_a_canary_is_a_conflict():
    with pytest.raises(Conflict, match="no canary to promote"):
        Alias("live", 1).promote()


def test_a_version_cannot_be_its_own_canary():
    with pytest.raises(InvalidInput, match="its own canary"):
        Alias("live", 1, Canary(1, 0.5))
