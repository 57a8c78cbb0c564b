"""New code, tried on a share of calls before it answers all of them."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import Stack as Cloud
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction
from infra.aws.stage_parts import CodeCanary


class RollOut(Construct):
    """CodeDeploy moves the alias `live` of functions: a share first, back if an alarm rings."""

    def __init__(self, scope: Construct, construct_id: str, *, canary: CodeCanary) -> None:
        super().__init__(scope, construct_id)
        self._application = codedeploy.LambdaApplication(self, "Application")
        self._config = codedeploy.LambdaDeploymentConfig(
            self,
            "Canary",
            traffic_routing=codedeploy.TimeBasedCanaryTrafficRouting(
                interval=Duration.minutes(canary.minutes), percentage=canary.percent
            ),
        )

    def add(self, function: HeadraceFunction, *, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """Let new code of *function* come by degrees, watched by *alarms*."""
        name = function.title
        codedeploy.LambdaDeploymentGroup(
            self,
            name,
            application=self._application,
            alias=function.live,
            deployment_config=self._config,
            alarms=list(alarms),
            auto_rollback=codedeploy.AutoRollbackConfig(
                failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
            ),
            role=self._role(name, function, alarms),
        )

    def _role(
        self, name: str, function: HeadraceFunction, alarms: Sequence[cloudwatch.IAlarm]
    ) -> iam.IRole:
        """What CodeDeploy may do: move this one alias. AWS's ready-made policy says any alias."""
        account = Cloud.of(self).account
        role = iam.Role(
            self,
            f"{name}Role",
            assumed_by=iam.ServicePrincipal(
                "codedeploy.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": account}},
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[
                    "lambda:GetAlias",
                    "lambda:GetProvisionedConcurrencyConfig",
                    "lambda:UpdateAlias",
                ],
                resources=[function.function.function_arn, function.live.function_arn],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:DescribeAlarms"],
                resources=[alarm.alarm_arn for alarm in alarms],
            )
        )
        return role.without_policy_updates()
