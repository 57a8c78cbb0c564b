"""What looks after jobs when nobody calls and nothing comes."""

from constructs import Construct

from headrace_runtime import work_settings
from infra.aws import grants
from infra.aws.clock import wake_by_the_clock
from infra.aws.file_door import FileDoor
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.heavy_queues import HeavyQueues
from infra.aws.layers import Layers
from infra.aws.own_event import JOB_ENDED
from infra.aws.stage import Stage
from infra.aws.state_stack import UNFINISHED, StateStack

# It ends before the next begins.
_TIMEOUT_S = 240
# What moved within that time is on its way, and not lost.
_PATIENCE_S = 600


class Sweeper(Construct):
    """Clock → `sweep` → what was lost is queued again, or ends.

    Nothing that fails here is tried again, nor kept: the next sweep finds what this one left.

    Args:
        heavy: of work on GPUs; None where there are none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        state: StateStack,
        layers: Layers,
        files: FileDoor,
        heavy: HeavyQueues | None,
    ) -> None:
        super().__init__(scope, construct_id)
        queues = [files.queue.queue, files.shards.queue, files.parquet_shards.queue]
        self.sweep = HeadraceFunction(
            self,
            "Sweep",
            stage=stage,
            source="sweep",
            settings=work_settings.SweepSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                jobs_table=state.jobs.table_name,
                files_queue_url=queues[0].queue_url,
                shards_queue_url=queues[1].queue_url,
                parquet_queue_url=queues[2].queue_url,
                hand_off_queue_url=heavy.hand_off.queue.queue_url if heavy else "",
                collect_queue_url=heavy.collected.queue.queue_url if heavy else "",
                patience_s=_PATIENCE_S,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.sweep,
            timeout_s=_TIMEOUT_S,
        )
        role = self.sweep.role
        grants.list_objects(role, state.inbox)
        grants.list_objects(role, state.results)
        grants.read_objects(role, state.results, "*")
        grants.read_items(role, state.jobs)
        grants.look_up_items(role, state.jobs)
        grants.write_items(role, state.jobs)
        grants.query_index(role, state.jobs, UNFINISHED)
        if heavy is not None:
            queues += [heavy.hand_off.queue, heavy.collected.queue]
        for queue in queues:
            grants.send_messages(role, queue)
        for queue in queues[1:]:  # where work of a job may still wait
            grants.count_messages(role, queue)
        grants.tell(role, JOB_ENDED)
        wake_by_the_clock(self, self.sweep)
