"""Everything that watches the service."""

from collections.abc import Mapping, Sequence

from constructs import Construct

from infra.aws.alarm_topic import AlarmTopic
from infra.aws.alarms import Alarms
from infra.aws.budget import MonthlyBudget
from infra.aws.dashboard import HeadraceDashboard
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_alarms import watch_heavy
from infra.aws.heavy_door import HeavyDoor
from infra.aws.http_api import HeadraceApi
from infra.aws.roll_out import RollOut
from infra.aws.stage import Stage
from infra.aws.work_queue import WorkQueue

# The queues whose messages are parts of jobs.
SHARDS = frozenset({"shards", "parquet-shards", "hand-off", "collected"})


class Watch(Construct):
    """Alarms, whom they tell, the dashboard, the budget, and the trial of new code.

    It stands before what it watches, so that a function may know whom alarms tell.

    Attributes:
        topic: that is told.
    """

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._stage = stage
        self.topic = AlarmTopic(self, "Told", email=stage.alarm_email).topic
        self._alarms = Alarms(self, "Alarms", thresholds=stage.alarms, topic=self.topic)

    def over(
        self,
        *,
        http: HeadraceApi,
        answering: Sequence[HeadraceFunction],
        working: Sequence[HeadraceFunction],
        sweep: HeadraceFunction,
        queues: Mapping[str, WorkQueue],
        heavy: HeavyDoor | None,
    ) -> None:
        """Watch all that there is.

        Args:
            http: the API.
            answering: functions that answer calls: their latency matters, their new code is tried.
            working: functions that are fed by queues.
            sweep: the function that the clock wakes.
            queues: by name; those of `SHARDS` are the jobs'.
            heavy: work on GPUs; its functions are watched beside those of *working*.
        """
        stage, alarms = self._stage, self._alarms
        working = [*working, *([heavy.hand_off, heavy.collect] if heavy else [])]
        for function in (*answering, *working):
            alarms.watch_function(function)
        alarms.watch_clocked(sweep, said="Nothing that was lost is found")
        for function in answering:
            alarms.watch_latency(function)
        for name, queue in queues.items():
            alarms.watch_queue(name, queue, page="stuck-jobs" if name in SHARDS else "old-messages")
        if heavy is not None:
            watch_heavy(alarms, heavy, failures=stage.alarms.gpu_failures)
        server_errors = alarms.watch_api(http.api)
        if stage.code_canary is not None:
            roll_out = RollOut(self, "RollOut", canary=stage.code_canary)
            for function in answering:
                newest = alarms.watch_version(function, function.version)
                roll_out.add(function, alarms=[newest, server_errors])
        HeadraceDashboard(
            self,
            "Dashboard",
            api=http.api,
            functions=[*answering, *working, sweep, *([heavy.provision] if heavy else [])],
            queues=queues,
            gpu_of=stage.name if heavy else None,
        )
        if stage.monthly_budget_usd is not None:
            MonthlyBudget(self, "Budget", usd=stage.monthly_budget_usd, topic=self.topic)
