"""Endpoints follow the registry: what is needed is made, what is not is removed, again and again.

One run looks at all there is, whatever woke it. So an event may come twice, late or never, and a
run may be killed anywhere: the next one finds what is left to do.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from headrace_runtime.aws.convergence import Convergence, Moved
from headrace_runtime.aws.endpoint_requests import EndpointRequests
from headrace_runtime.aws.endpoint_scaling import EndpointScaling
from headrace_runtime.aws.endpoints import EndpointKeeper
from headrace_runtime.aws.gpu_meter import GpuMeter
from headrace_runtime.aws.gpu_versions import GpuVersions
from headrace_runtime.aws.holdings import Holdings
from headrace_runtime.aws.registry import Registry
from headrace_runtime.batch.clock import Slice
from headrace_runtime.batch.endpoint_plan import Act, Allowance
from headrace_runtime.batch.endpoint_room import Room
from headrace_runtime.batch.gpu_need import Need, Version
from headrace_runtime.batch.gpu_prices import gpu_instance
from headrace_runtime.batch.holding import Held, Holding
from headrace_runtime.batch.standing import Seen
from headrace_runtime.errors import Conflict
from headrace_runtime.model.endpoint import EndpointState
from headrace_runtime.work_settings import ProvisionSettings

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sagemaker import SageMakerClient

OnFailure = Callable[[Exception, Mapping[str, str]], None]

# Of a stage, however many models it has: SageMaker gives an account and a region some hundred.
MOST_ENDPOINTS = 50
# What was done is looked at again at once: it may be done already, and a removal has three steps.
_LOOKS = 4
_STUCK = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Report:
    """What one run found and did.

    Attributes:
        spent_usd: in the month up to now.
        endpoints, stuck: how many stand, and how many are being made, or removed, for half an
            hour.
        failed: those that are needed and failed.
        withheld: how many are needed and not made, as no more may be.
        why: one sentence on why no more may be made; empty where more may.
        done: how often each kind of step was taken.
    """

    spent_usd: float
    endpoints: int
    stuck: int
    failed: tuple[Held, ...]
    withheld: int
    why: str
    done: Mapping[Act, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """Makes what stands what is needed.

    Attributes:
        budget_usd: of a month; once it is spent no endpoint is made any more.
    """

    registry: Registry
    versions: GpuVersions
    convergence: Convergence
    meter: GpuMeter
    budget_usd: float

    def run(self, now: datetime, time: Slice, on_failure: OnFailure) -> Report:
        """Look at all there is and do what is to be done, while there is time.

        Args:
            now: the time, UTC.
            time: of this run; what it does not reach the next one does.
            on_failure: told of each fault, with the model and the version; others are worked on
                all the same.
        """
        models = self.registry.models()
        noted = self._noted(models)
        needs = self.versions.needs(models)
        name = self.convergence.keeper.requests.name
        names = {version: name(need) for version, need in needs.items()}
        seen = self._seen(noted)
        spent_usd = self.meter.meter(now, self._usd_per_hour(seen))
        waiting = {version: needs.get(version) for version in [*needs, *noted]}
        done: Counter[Act] = Counter()
        for _ in range(_LOOKS):
            before = done.total()
            room = Room(needs, names, noted, seen, now)
            allowance = self._allowance(room, spent_usd)
            for version in list(waiting):
                if not time.lasts():
                    break
                holding = noted.get(version, Holding(*version))
                moved = self._moved(holding, waiting[version], seen, allowance, now)
                noted[version] = moved.holding
                done.update(moved.done)
                if moved.error is not None:
                    waiting.pop(version)
                    _tell(moved.error, version, on_failure)
            if done.total() == before:
                break
            seen = self._seen(noted)
        why = self._allowance(Room(needs, names, noted, seen, now), spent_usd).reason
        return _report(needs, noted, seen, now, spent_usd=spent_usd, why=why, done=done)

    def _noted(self, models: list[str]) -> dict[Version, Holding]:
        holdings = self.convergence.holdings
        return {(one.model, one.version): one for model in models for one in holdings.of(model)}

    def _moved(
        self, holding: Holding, need: Need | None, seen: Seen, allowance: Allowance, now: datetime
    ) -> Moved:
        try:
            return self.convergence.moved(holding, need, seen, allowance=allowance, now=now)
        except Exception as error:  # noqa: BLE001 - one that cannot be worked on keeps no other from it
            return Moved(holding, error=error)

    def _seen(self, noted: Mapping[Version, Holding]) -> Seen:
        keeper = self.convergence.keeper
        endpoints = keeper.endpoints()
        names = {one.name for holding in noted.values() for one in holding.endpoints}
        scaled, scaling = self.convergence.scaling.seen(names | endpoints.keys())
        return Seen(keeper.models(), keeper.configs(), endpoints, scaled, scaling)

    def _usd_per_hour(self, seen: Seen) -> float:
        """Return what all instances cost that there are at this moment, of jobs as well."""
        hosting = [some for one in seen.endpoints.values() for some in one.instances]
        running = [*hosting, *self.convergence.keeper.transforming()]
        return sum(gpu_instance(kind).usd_per_hour * count for kind, count in running)

    def _allowance(self, room: Room, spent_usd: float) -> Allowance:
        if spent_usd >= self.budget_usd:
            what = f"what GPUs may cost in a month, {self.budget_usd:g} USD, is spent"
            return Allowance(f"{what}: no endpoint is made before the next one")
        why_no_more = f"there are {MOST_ENDPOINTS} endpoints: no more are made"
        return room.allowance(MOST_ENDPOINTS, why_no_more)


def _tell(error: Exception, version: Version, on_failure: OnFailure) -> None:
    """Tell of a fault; that another run is at a version is none."""
    if not isinstance(error, Conflict):
        on_failure(error, {"model": version[0], "version": str(version[1])})


def _report(
    needs: Mapping[Version, Need],
    noted: Mapping[Version, Holding],
    seen: Seen,
    now: datetime,
    *,
    spent_usd: float,
    why: str,
    done: Mapping[Act, int],
) -> Report:
    missed = [
        one
        for version in needs
        if version in noted
        for one in noted[version].endpoints
        if one.leaving_since is None and (one.reason or one.state is EndpointState.FAILED)
    ]
    withheld = sum(one.failed_at is None for one in missed)
    stuck = [
        one
        for one in seen.endpoints.values()
        if one.status in ("Creating", "Deleting") and now - one.changed_at > _STUCK
    ]
    return Report(
        spent_usd=spent_usd,
        endpoints=len(seen.endpoints),
        stuck=len(stuck),
        failed=tuple(one for one in missed if one.failed_at is not None),
        withheld=withheld,
        why=why if withheld else "",
        done=done,
    )


def provisioning_of(
    settings: ProvisionSettings,
    *,
    dynamodb: "DynamoDBClient",
    sagemaker: "SageMakerClient",
    autoscaling: "ApplicationAutoScalingClient",
    cloudwatch: "CloudWatchClient",
) -> Provisioning:
    """Return what lets endpoints follow the registry.

    Args:
        settings: the function's.
        dynamodb: holds the registry and the jobs.
        sagemaker: has the endpoints.
        autoscaling: scales them.
        cloudwatch: has the alarms that scaling follows.
    """
    registry = Registry(settings.registry_table, dynamodb=dynamodb)
    versions = GpuVersions(registry, settings.jobs_table, dynamodb=dynamodb)
    return Provisioning(
        registry=registry,
        versions=versions,
        convergence=Convergence(
            versions=versions,
            holdings=Holdings(settings.registry_table, dynamodb=dynamodb),
            keeper=EndpointKeeper(EndpointRequests(settings), sagemaker=sagemaker),
            scaling=EndpointScaling(
                most=settings.gpu_max_instances,
                alarm_topic=settings.alarm_topic,
                autoscaling=autoscaling,
                cloudwatch=cloudwatch,
            ),
        ),
        meter=GpuMeter(settings.jobs_table, dynamodb=dynamodb),
        budget_usd=settings.gpu_monthly_usd,
    )
