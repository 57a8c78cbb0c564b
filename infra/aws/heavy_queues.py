"""The queues of work on GPUs, which stand before whoever puts work into them."""

from constructs import Construct

from infra.aws.work_queue import WorkQueue

TIMEOUT_S = 900


class HeavyQueues(Construct):
    """What feeds `hand_off` and `collect`.

    Attributes:
        hand_off: of shards that SageMaker is to be given.
        collected: of notices that it is done with something, and of shards that somebody wants
            looked after.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.hand_off = WorkQueue(self, "HandOff", timeout_s=TIMEOUT_S)
        self.collected = WorkQueue(self, "Collected", timeout_s=TIMEOUT_S)
