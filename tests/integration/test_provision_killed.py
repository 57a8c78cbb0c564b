"""Runs of `provision` are killed after any write: the next ones find what is left to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import moto
import pytest

from headrace_runtime.model.alias import Canary
from tests import worlds
from tests.integration.endpoint_world import (
    REALTIME,
    Crash,
    World,
    move,
    publish,
    registered,
    standing,
)

OTHER_IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-tritonserver:27.01-py3"

HOUR = timedelta(hours=1)

Situation = Callable[[], tuple[World, dict[str, Any]]]


def published() -> tuple[World, dict[str, Any]]:
    """There is a new version, which has nothing yet."""
    publish(acceleration=REALTIME)
    return World(), {}


def moved_away() -> tuple[World, dict[str, Any]]:
    """For an hour nobody needed a version."""
    publish(versions=2, acceleration=REALTIME)
    move(2, Canary(1, 0.5))
    world = World()
    world.settle()
    move(2)
    world.run()
    world.now += HOUR
    return world, {}


def other_image() -> tuple[World, dict[str, Any]]:
    """The stage has another image, which is ready for an hour: the old endpoints are to go."""
    publish(acceleration=REALTIME)
    World().settle()
    changed = {"image": OTHER_IMAGE}
    world = World(**changed)
    world.run()
    world.now += HOUR
    return world, changed


SITUATIONS = [published, moved_away, other_image]


@contextmanager
def empty_aws() -> Iterator[None]:
    with moto.mock_aws():
        worlds.make()
        yield


def end() -> tuple[Any, ...]:
    """Return what stands, and what the registry says."""
    return standing(), registered(1), registered(2)


def end_of(situation: Situation) -> tuple[Any, ...]:
    """Return what becomes of a situation where nothing is killed."""
    with empty_aws():
        world, _ = situation()
        world.settle()
        return end()


def killed(world: World, write: int) -> bool:
    """Run once; return whether the run was killed after a write rather than ended before."""
    with world.dying_after(write):
        try:
            world.run()
        except Crash:
            return True
    return False


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_run_is_killed_a_write_later_than_the_one_before(situation: Situation) -> None:
    aim = end_of(situation)
    with empty_aws():
        world, _ = situation()
        runs = 1
        while killed(world, runs):
            runs += 1
        world.settle()

        assert runs > 3
        assert end() == aim
        assert world.errors == []


@pytest.mark.parametrize("write", [3, 4, 5])
def test_what_a_killed_run_made_goes_though_nobody_needs_it_any_more(write: int, aws: None) -> None:
    """Killed after the SageMaker model, the config, the endpoint: all were noted before."""
    publish(versions=2)
    world = World()
    assert killed(world, write)
    assert [len(standing()[kind]) for kind in ("models", "configs", "endpoints")] == [
        *[1] * (write - 2),
        *[0] * (5 - write),
    ]
    move(2)

    world.settle()
    world.run(minutes=60)

    assert registered(1) is None
    assert len(standing()["endpoints"]) == len(standing()["models"]) == 1
    assert not any("wine-1" in name for names in standing().values() for name in names)


@pytest.mark.long
@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_run_is_killed_after_each_write_and_the_next_one_ends_its_work(
    situation: Situation,
) -> None:
    aim = end_of(situation)
    for write in range(1, 100):
        with empty_aws():
            world, changed = situation()
            was_killed = killed(world, write)
            again = World(**changed)
            again.now = world.now
            again.settle()

            assert (write, *end()) == (write, *aim)
            assert again.errors == []
        if not was_killed:
            assert write > 10
            return
    raise AssertionError("it never ends")
