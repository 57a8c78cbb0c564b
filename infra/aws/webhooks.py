"""Whoever wants to be told that a job ended, and how."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.layers import Layers
from infra.aws.own_event import JOB_ENDED
from infra.aws.stage import Stage
from infra.aws.state_stack import StateStack
from infra.aws.work_queue import WorkQueue

_TIMEOUT_S = 30


class Webhooks(Construct):
    """Our own event → queue → `notify` → a signed call of the job's webhook.

    Whoever is called may be slow or away, so it is called by nobody whose time is a job's, and
    tried eight times, six time-outs apart.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        state: StateStack,
        layers: Layers,
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = WorkQueue(self, "Webhooks", timeout_s=_TIMEOUT_S, max_receives=8)
        self.notify = HeadraceFunction(
            self,
            "Notify",
            stage=stage,
            source="notify",
            settings=work_settings.NotifySettings(
                jobs_table=state.jobs.table_name, private_addresses=int(stage.private_webhooks)
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.notify,
            timeout_s=_TIMEOUT_S,
        )
        # Only the job's own item has the secret that signs: no event carries it.
        grants.read_single_items(self.notify.role, state.jobs)
        self.queue.feed(self.notify, batch_size=1, max_concurrency=5)
        events.Rule(
            self,
            "Ended",
            event_pattern=events.EventPattern(
                source=[JOB_ENDED.source],
                detail_type=[JOB_ENDED.kind],
                detail={"webhook": [{"exists": True}]},
            ),
            targets=[targets.SqsQueue(self.queue.queue, dead_letter_queue=self.queue.dead_letters)],
        )
