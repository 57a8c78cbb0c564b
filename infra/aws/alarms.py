"""What can go wrong, each with an alarm that names its page in the runbook."""

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction
from infra.aws.stage_parts import AlarmThresholds
from infra.aws.work_queue import WorkQueue

_FIVE_MINUTES = Duration.minutes(5)
_MINUTE = Duration.minutes(1)


class Alarms(Construct):
    """Alarms of functions, queues and the API; each tells *topic* as it rings and as it ends."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        thresholds: AlarmThresholds,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._limits = thresholds
        self._tell = actions.SnsAction(topic)
        self.add(
            "Concurrency",
            _lambda_metric("ConcurrentExecutions", {}, statistic="Maximum", period=_MINUTE),
            above=thresholds.concurrency,
            said="Functions of this account come near the number of calls that AWS runs at once.",
            page="concurrency",
            periods=3,
        )

    def watch_function(self, function: HeadraceFunction) -> None:
        """Ring when calls of *function* fail, or are refused for want of concurrency."""
        name, source = function.title, function.source
        ours = {"FunctionName": function.function.function_name}
        self.add(
            f"{name}Errors",
            _lambda_metric("Errors", ours),
            above=self._limits.errors,
            said=f"Calls of {source} end with an exception, a timeout or out of memory.",
            page="errors",
        )
        self.add(
            f"{name}Throttles",
            _lambda_metric("Throttles", ours),
            above=self._limits.throttles,
            said=f"Lambda refuses calls of {source}: too many run at once.",
            page="throttles",
        )

    def watch_clocked(self, function: HeadraceFunction, *, said: str) -> None:
        """Ring when *function*, which the clock wakes, failed three times in 15 minutes.

        It is woken too seldom to come near the stage's threshold of errors.

        Args:
            function: it alone is watched so.
            said: what is not done meanwhile, a sentence. The page is named like the function.
        """
        ours = {"FunctionName": function.function.function_name}
        for metric in ("Errors", "Throttles"):
            self.add(
                f"{function.title}{metric}",
                _lambda_metric(metric, ours),
                above=1,
                said=f"{said}: {function.source} fails, or is not run, each time.",
                page=function.source,
                periods=3,
            )

    def watch_latency(self, function: HeadraceFunction) -> None:
        """Ring when the slowest of a hundred calls of *function* is too slow, for 15 minutes."""
        ours = {"FunctionName": function.function.function_name}
        self.add(
            f"{function.title}Latency",
            _lambda_metric("Duration", ours, statistic="p99"),
            above=self._limits.latency_ms,
            said=f"The slowest of a hundred calls of {function.source} is too slow.",
            page="latency",
            periods=3,
        )

    def watch_queue(self, name: str, queue: WorkQueue, *, page: str = "old-messages") -> None:
        """Ring when *queue* has dead letters, or a message that nobody got done with in time."""
        title = name.title().replace("-", "")
        self.add(
            f"{title}DeadLetters",
            queue.dead_letters.metric_approximate_number_of_messages_visible(
                period=_MINUTE, statistic="Maximum"
            ),
            above=1,
            said=f"Messages of the queue {name} failed again and again and were set aside.",
            page="dead-letters",
        )
        stuck = page == "stuck-jobs"
        self.add(
            f"{title}StuckJobs" if stuck else f"{title}OldMessages",
            queue.queue.metric_approximate_age_of_oldest_message(period=_MINUTE),
            above=self._limits.stuck_job_s if stuck else self._limits.oldest_message_s,
            said=f"A message of the queue {name} has waited for too long.",
            page=page,
        )

    def watch_api(self, api: apigateway.HttpApi) -> cloudwatch.Alarm:
        """Ring when too many of the answers of *api* are our fault; return that alarm."""
        share = cloudwatch.MathExpression(
            expression="100 * faults / calls",
            using_metrics={
                "faults": api.metric_server_error(statistic="Sum"),
                "calls": api.metric_count(statistic="Sum"),
            },
            label="answers 5xx, in percent",
            period=_FIVE_MINUTES,
        )
        return self.add(
            "ServerErrors",
            share,
            above=self._limits.server_error_percent,
            said="Too many of the API's answers are 5xx.",
            page="server-errors",
        )

    def watch_version(
        self, function: HeadraceFunction, version: lambda_.IVersion
    ) -> cloudwatch.Alarm:
        """Ring when *version* of *function* fails while it is tried; return the alarm."""
        ours = {
            "FunctionName": function.function.function_name,
            "Resource": f"{function.function.function_name}:live",
            "ExecutedVersion": version.version,
        }
        return self.add(
            f"{function.title}NewVersionErrors",
            _lambda_metric("Errors", ours, period=_MINUTE),
            above=1,
            said=f"New code of {function.source} fails; CodeDeploy takes it back meanwhile.",
            page="new-version-errors",
        )

    def add(
        self,
        construct_id: str,
        metric: cloudwatch.IMetric,
        *,
        above: float,
        said: str,
        page: str,
        periods: int = 1,
    ) -> cloudwatch.Alarm:
        """Ring while *metric* is *above* that or more; return the alarm.

        Args:
            construct_id: the alarm's.
            metric: one, or an expression over some.
            above: its threshold.
            said: what is amiss, a sentence.
            page: of the runbook, `stuck-jobs` for `docs/running.md#alarm-stuck-jobs`.
            periods: of the metric, one after the other, in which it is.
        """
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=periods,
            # Where nothing was called nothing is amiss.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{said} docs/running.md#alarm-{page}",
        )
        alarm.add_alarm_action(self._tell)
        alarm.add_ok_action(self._tell)
        return alarm


def _lambda_metric(
    name: str,
    dimensions: dict[str, str],
    *,
    statistic: str = "Sum",
    period: Duration = _FIVE_MINUTES,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
    )
