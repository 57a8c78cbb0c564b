"""What may be replaced at any time: functions, routes, queues, rules, and who may do what."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.aws.file_door import FileDoor
from infra.aws.http_api import HeadraceApi
from infra.aws.http_functions import HttpFunctions
from infra.aws.layers import Layers
from infra.aws.model_door import ModelDoor
from infra.aws.stage import Stage
from infra.aws.state_stack import StateStack
from infra.aws.watch import SHARDS, Watch


class ServiceStack(Stack):
    """Event → decode → infer → encode → store, over the buckets and tables of *state*."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, state: StateStack, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        layers = Layers(self, "Layers", stage=stage)
        answering = HttpFunctions(self, "Calls", stage=stage, state=state, layers=layers)
        models = ModelDoor(self, "ModelDoor", stage=stage, state=state, layers=layers)
        files = FileDoor(self, "FileDoor", stage=stage, state=state, layers=layers)
        http = HeadraceApi(
            self,
            "Http",
            stage=stage,
            functions={
                "predict": answering.predict,
                "manage": answering.manage,
                "grant": answering.grant,
                "observe": answering.observe,
            },
            authorise=answering.authorise,
        )
        Watch(
            self,
            "Watch",
            stage=stage,
            http=http,
            answering=answering.all,
            working=[models.register, files.intake, files.batch],
            queues={"Models": models.queue, "Files": files.queue, SHARDS: files.shards},
        )
        CfnOutput(self, "Url", value=http.url)
        CfnOutput(self, "ShardsQueueUrl", value=files.shards.queue.queue_url)
