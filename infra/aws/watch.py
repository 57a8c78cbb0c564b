"""Everything that watches the service."""

from collections.abc import Mapping, Sequence

from constructs import Construct

from infra.aws.alarm_topic import AlarmTopic
from infra.aws.alarms import Alarms
from infra.aws.budget import MonthlyBudget
from infra.aws.dashboard import HeadraceDashboard
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.http_api import HeadraceApi
from infra.aws.roll_out import RollOut
from infra.aws.stage import Stage
from infra.aws.work_queue import WorkQueue

# The queues whose messages are parts of jobs.
SHARDS = frozenset({"shards", "parquet-shards"})


class Watch(Construct):
    """Alarms, whom they tell, the dashboard, the budget, and the trial of new code.

    Args:
        answering: functions that answer calls: their latency matters, their new code is tried.
        working: functions that are fed by queues.
        sweep: the function that the clock wakes.
        queues: by name; those of `SHARDS` are the jobs'.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        http: HeadraceApi,
        answering: Sequence[HeadraceFunction],
        working: Sequence[HeadraceFunction],
        sweep: HeadraceFunction,
        queues: Mapping[str, WorkQueue],
    ) -> None:
        super().__init__(scope, construct_id)
        topic = AlarmTopic(self, "Told", email=stage.alarm_email).topic
        alarms = Alarms(self, "Alarms", thresholds=stage.alarms, topic=topic)
        for function in (*answering, *working):
            alarms.watch_function(function)
        alarms.watch_sweep(sweep)
        for function in answering:
            alarms.watch_latency(function)
        for name, queue in queues.items():
            alarms.watch_queue(name, queue, page="stuck-jobs" if name in SHARDS else "old-messages")
        server_errors = alarms.watch_api(http.api)
        if stage.code_canary is not None:
            roll_out = RollOut(self, "RollOut", canary=stage.code_canary)
            for function in answering:
                newest = alarms.watch_version(function, function.version)
                roll_out.add(function, alarms=[newest, server_errors])
        functions = [*answering, *working, sweep]
        HeadraceDashboard(self, "Dashboard", api=http.api, functions=functions, queues=queues)
        if stage.monthly_budget_usd is not None:
            MonthlyBudget(self, "Budget", usd=stage.monthly_budget_usd, topic=topic)
