"""What a month may cost."""

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_sns as sns
from constructs import Construct


class MonthlyBudget(Construct):
    """Tells *topic* when 80 % of *usd* are spent, and when more than all of it is foreseen.

    It counts the whole account: a tag would count only what AWS was told to keep by that tag,
    and nothing at all until then. See docs/running.md#alarm-budget.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, usd: float, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                _told(topic, notification_type="ACTUAL", percent=80),
                _told(topic, notification_type="FORECASTED", percent=100),
            ],
        )


def _told(
    topic: sns.ITopic, *, notification_type: str, percent: int
) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            comparison_operator="GREATER_THAN",
            notification_type=notification_type,
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[
            budgets.CfnBudget.SubscriberProperty(address=topic.topic_arn, subscription_type="SNS")
        ],
    )
