"""Of all that wakes `provision` one run looks, and looks again for the others."""

from dataclasses import dataclass

from headrace_runtime.aws.provisioning import OnFailure, Provisioning, Report
from headrace_runtime.aws.run_lease import RunLease
from headrace_runtime.batch.clock import Clock, Slice


@dataclass(frozen=True, slots=True)
class LoneRun:
    """Runs one at a time."""

    provisioning: Provisioning
    lease: RunLease

    def reports(self, run: str, clock: Clock, on_failure: OnFailure) -> list[Report]:
        """Look until nobody asks for more; return what each look found and did.

        Where another run is at it there is none: that one looks again, as long as it has time,
        and what it does not reach, or if it dies, the clock wakes another for.

        Args:
            run: tells it from all others.
            clock: the worker's, in UTC.
            on_failure: as `Provisioning.run` has it.
        """
        if not self.lease.take(run, clock):
            return []
        time, found = Slice(clock.left_s), []
        try:
            while True:
                found.append(self.provisioning.run(clock.now(), time, on_failure))
                if self.lease.give_back(run, may_stay=time.lasts()):
                    return found
        except Exception:
            self.lease.give_back(run, may_stay=False)
            raise
