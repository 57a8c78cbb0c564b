"""What may be replaced at any time: functions, routes, queues, rules, and who may do what."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.aws.file_door import FileDoor
from infra.aws.heavy_door import HeavyDoor
from infra.aws.heavy_queues import HeavyQueues
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
        watch = Watch(self, "Watch", stage=stage)
        layers = Layers(self, "Layers", stage=stage)
        calls = HttpFunctions(self, "Calls", stage=stage, state=state, layers=layers)
        models = ModelDoor(self, "ModelDoor", stage=stage, state=state, layers=layers)
        heavy = None if stage.gpu is None else HeavyQueues(self, "Heavy")
        files = FileDoor(self, "FileDoor", stage=stage, state=state, layers=layers, heavy=heavy)
        sweeper = Sweeper(
            self, "Sweeper", stage=stage, state=state, layers=layers, files=files, heavy=heavy
        )
        webhooks = Webhooks(self, "Webhooks", stage=stage, state=state, layers=layers)
        queues = {
            "models": models.queue,
            "files": files.queue,
            "shards": files.shards,
            "parquet-shards": files.parquet_shards,
            "webhooks": webhooks.queue,
        }
        door = None
        if stage.gpu is not None and heavy is not None:
            door = HeavyDoor(
                self,
                "HeavyDoor",
                stage=stage,
                gpu=stage.gpu,
                state=state,
                layers=layers,
                files=files,
                queues=heavy,
                told=watch.topic,
            )
            queues |= {
                "hand-off": heavy.hand_off,
                "collected": heavy.collected,
                "provision": door.provision_queue,
            }
        jobs = JobFunctions(
            self,
            "Jobs",
            stage=stage,
            state=state,
            layers=layers,
            files=files,
            queues=queues,
            heavy=heavy,
        )
        answering = [*calls.all, *jobs.all]
        http = HeadraceApi(
            self,
            "Http",
            stage=stage,
            functions={function.source: function for function in answering},
            authorise=calls.authorise,
        )
        watch.over(
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
            heavy=door,
        )
        CfnOutput(self, "Url", value=http.url)
        CfnOutput(self, "ShardsQueueUrl", value=files.shards.queue.queue_url)
