"""What is planned for one version is noted first, and then done."""

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from headrace_runtime.aws.endpoint_scaling import EndpointScaling
from headrace_runtime.aws.endpoints import EndpointKeeper
from headrace_runtime.aws.gpu_versions import GpuVersions
from headrace_runtime.aws.holdings import Holdings
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.refusals import says
from headrace_runtime.batch.endpoint_plan import Act, Allowance, Step, planned
from headrace_runtime.batch.gpu_need import Need
from headrace_runtime.batch.holding import Holding
from headrace_runtime.batch.standing import Seen
from headrace_runtime.errors import Conflict


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one version.

    Attributes:
        done: the steps that were taken.
        error: what the next one met; None where all were taken.
    """

    holding: Holding
    done: tuple[Act, ...] = ()
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """Takes single versions on.

    Attributes:
        versions: asked again before an endpoint is removed.
    """

    versions: GpuVersions
    holdings: Holdings
    keeper: EndpointKeeper
    scaling: EndpointScaling

    def moved(
        self,
        holding: Holding,
        need: Need | None,
        seen: Seen,
        *,
        allowance: Allowance,
        now: datetime,
    ) -> Moved:
        """Do all that is to be done for one version at this moment.

        What SageMaker refuses to make is noted, with the reason, and rests for a while.

        Raises:
            Conflict: another run has noted something of it meanwhile, or what it needs has changed
                and an endpoint was to be removed; nothing was done.
        """
        name = "" if need is None else self.keeper.requests.name(need)
        plan = planned(holding, need, name, seen, allowance=allowance, now=now)
        if any(step.act is Act.REMOVE_ENDPOINT for step in plan.steps):
            self._still_as_planned(holding, need)
        holding = self.holdings.note(holding, plan.holding)
        done: list[Act] = []
        for step in plan.steps:
            try:
                self._take(step, need)
            except Exception as error:  # noqa: BLE001 - told with what was done before it
                if isinstance(error, ClientError) and not passes(error):
                    failed = holding.with_failure(_refused(step, need), says(error), now)
                    holding = self.holdings.note(holding, failed)
                return Moved(holding, tuple(done), error)
            done.append(step.act)
        return Moved(holding, tuple(done))

    def _still_as_planned(self, holding: Holding, need: Need | None) -> None:
        """A look takes a while, and an endpoint that is removed in error is gone for minutes."""
        if self.versions.need(holding.model, holding.version) != need:
            what = f"version {holding.version} of model {holding.model!r}"
            raise Conflict(f"what {what} needs has changed meanwhile: no endpoint was removed")

    def _take(self, step: Step, need: Need | None) -> None:
        if step.act is Act.MAKE_MODEL and need is not None:
            self.keeper.make_model(step.name, need)
        elif step.act is Act.MAKE_ENDPOINT and need is not None:
            self.keeper.make_endpoint(step.name, need)
        elif step.act is Act.SCALE:
            self.scaling.put_up(step.name)
            if need is not None and need.may_sleep(step.name):
                self.keeper.put_to_sleep(step.name)
        elif step.act is Act.REMOVE_ENDPOINT:
            self.scaling.take_down(step.name)
            self.keeper.remove_endpoint(step.name)
        elif step.act is Act.CLEAR:
            self.scaling.take_down(step.name)
            self.keeper.remove_config(step.name)
        else:
            self.keeper.remove_model(step.name)


def _refused(step: Step, need: Need | None) -> list[str]:
    """Return the names of the endpoints that there will not be without a step."""
    if need is not None and step.act is Act.MAKE_MODEL:
        return list(need.endpoints(step.name))
    return [step.name] if step.act is Act.MAKE_ENDPOINT else []
