"""What may be replaced at any time: functions, routes, queues, rules, and who may do what."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.aws.file_door import FileDoor
from infra.aws.http_api import HeadraceApi
from infra.aws.http_functions import HttpFunctions
from infra.aws.job_functions import JobFunctions
from infra.aws.layers import Layers
from infra.aws.model_door import ModelDoor
from infra.aws.stage import Stage
from infra.aws.state_stack import StateStack
from infra.aws.sweeper import Sweeper
from infra.aws.watch import Watch
from infra.aws.webhooks import Webhooks


class ServiceStack(Stack):
    """Event → decode → infer → encode → store, over the buckets and tables of *state*."""

    def __init__(
        self, scope: Construct, construct_id: str, *, stage: Stage, state: StateStack, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        layers = Layers(self, "Layers", stage=stage)
        calls = HttpFunctions(self, "Calls", stage=stage, state=state, layers=layers)
        models = ModelDoor(self, "ModelDoor", stage=stage, state=state, layers=layers)
        files = FileDoor(self, "FileDoor", stage=stage, state=state, layers=layers)
        sweeper = Sweeper(self, "Sweeper", stage=stage, state=state, layers=layers, files=files)
        webhooks = Webhooks(self, "Webhooks", stage=stage, state=state, layers=layers)
        queues = {
            "models": models.queue,
            "files": files.queue,
            "shards": files.shards,
            "parquet-shards": files.parquet_shards,
            "webhooks": webhooks.queue,
        }
        jobs = JobFunctions(
            self, "Jobs", stage=stage, state=state, layers=layers, files=files, queues=queues
        )
        answering = [*calls.all, *jobs.all]
        http = HeadraceApi(
            self,
            "Http",
            stage=stage,
            functions={function.source: function for function in answering},
            authorise=calls.authorise,
        )
        Watch(
            self,
            "Watch",
            stage=stage,
            http=http,
            answering=answering,
            working=[
                models.register,
                files.intake,
                files.batch,
                files.batch_parquet,
                webhooks.notify,
            ],
            sweep=sweeper.sweep,
            queues=queues,
        )
        CfnOutput(self, "Url", value=http.url)
        CfnOutput(self, "ShardsQueueUrl", value=files.shards.queue.queue_url)
