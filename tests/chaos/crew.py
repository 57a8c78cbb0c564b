"""Workers, killed now and then, and each in its place another one."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from random import Random
from time import monotonic, sleep

from tests.chaos.gauges import Gauge, Gauges
from tests.chaos.worker import Post, work

_PATIENCE_S = 2.0  # for a worker to be at work


class Crew:
    """A worker process for each post.

    Attributes:
        kills: how many were killed at work.
        ran_out: how many were killed because their invocation's time was over.
    """

    def __init__(self, posts: Sequence[Post], draw: Random) -> None:
        # One process that has all modules loaded; workers are its forks, and there in no time.
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.preloaded"])
        self._draw = draw
        self._posts = posts
        self._gauges = [Gauges(self._context.RawArray("q", len(Gauge))) for _ in posts]
        self._workers = [self._started(number) for number in range(len(posts))]
        self.kills = self.ran_out = 0

    def kill_one(self) -> None:
        """Kill a worker in the midst of an event, and start another one."""
        until = monotonic() + _PATIENCE_S
        while monotonic() < until:
            number = self._draw.randrange(len(self._posts))
            sleep(self._draw.uniform(0, 0.03))
            if not self._gauges[number][Gauge.BUSY]:
                continue
            worker = self._workers[number]
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
            self.kills += self._gauges[number][Gauge.BUSY]
            self._workers[number] = self._started(number)
            return

    def look_after(self) -> None:
        """Start another worker for each that ended by itself.

        Raises:
            AssertionError: one ended otherwise than by running out of time.
        """
        for number, worker in enumerate(self._workers):
            if worker.exitcode is None:
                continue
            assert worker.exitcode == -signal.SIGALRM, f"see {self._posts[number].log}"
            self.ran_out += 1
            self._workers[number] = self._started(number)

    def count(self, gauge: Gauge) -> int:
        """Return what all workers counted together."""
        return sum(gauges[gauge] for gauges in self._gauges)

    def end(self) -> None:
        """Kill all of them."""
        for worker in self._workers:
            worker.kill()
            worker.join()

    def _started(self, number: int) -> "object":
        self._gauges[number].set(Gauge.BUSY, 0)
        post = replace(self._posts[number], seed=self._draw.getrandbits(32))
        worker = self._context.Process(target=work, args=(post, self._gauges[number]), daemon=True)
        worker.start()
        return worker


@contextmanager
def crew_of(posts: Sequence[Post], draw: Random) -> Iterator[Crew]:
    """Give a crew while the context lasts."""
    crew = Crew(posts, draw)
    try:
        yield crew
    finally:
        crew.end()
