"""What may be replaced at any time: functions, routes, queues, rules, and who may do what."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from headrace_runtime import settings
from infra.aws import grants
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.http_api import HeadraceApi
from infra.aws.layers import Layers
from infra.aws.object_events import ObjectEvents
from infra.aws.state_stack import StateStack
from infra.aws.work_queue import WorkQueue

# One whole vCPU; below it a model runs on a share of one.
ONE_CPU_MB = 1769
# What Python, the runtime and one request take of a function's memory beside its models.
BESIDE_MODELS_MB = 512
# A model is loaded by path: its files lie in /tmp, the largest beside what was loaded before.
MODELS_DISK_MB = 2048
MAX_MODEL_BYTES = 512 << 20
# The two halves of the models bucket: what anyone may drop, and what is served.
DROPPED = "models/*"
ARTIFACTS = "artifacts/*"


class ServiceStack(Stack):
    """Event → decode → infer → encode → store, over the buckets and tables of *state*."""

    def __init__(
        self, scope: Construct, construct_id: str, *, state: StateStack, **stack: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self._state = state
        self._layers = Layers(self, "Layers")
        predict = self._predict()
        manage = self._manage()
        self._register()
        shards = self._batch()
        self._intake(shards)
        http = HeadraceApi(self, "Http", functions={"predict": predict, "manage": manage})
        CfnOutput(self, "Url", value=http.api.api_endpoint)
        CfnOutput(self, "ShardsQueueUrl", value=shards.queue.queue_url)

    def _predict(self) -> HeadraceFunction:
        state, layers = self._state, self._layers
        predict = HeadraceFunction(
            self,
            "Predict",
            source="predict",
            settings=settings.PredictSettings(
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                alias_ttl_s=5.0,
                models_memory_mb=ONE_CPU_MB - BESIDE_MODELS_MB,
                threads=1,
            ),
            layers=[layers.runtime, layers.essentials, layers.inference],
            memory_mb=ONE_CPU_MB,
            timeout_s=29,
            disk_mb=MODELS_DISK_MB,
        )
        grants.read_objects(predict.role, state.models, ARTIFACTS)
        grants.read_items(predict.role, state.registry)
        return predict

    def _manage(self) -> HeadraceFunction:
        state, layers = self._state, self._layers
        manage = HeadraceFunction(
            self,
            "Manage",
            source="manage",
            settings=settings.ManageSettings(
                models_bucket=state.models.bucket_name,
                inbox_bucket=state.inbox.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                max_model_bytes=MAX_MODEL_BYTES,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=512,
            timeout_s=29,
        )
        # It moves no bytes itself: what it signed is done with its permission.
        grants.put_objects(manage.role, state.models, DROPPED)
        grants.put_objects(manage.role, state.inbox, "inbox/*")
        grants.read_objects(manage.role, state.inbox, "inbox/*")
        grants.read_objects(manage.role, state.results, "*")
        grants.read_items(manage.role, state.registry)
        grants.write_items(manage.role, state.registry)
        grants.read_items(manage.role, state.jobs)
        return manage

    def _register(self) -> None:
        state, layers = self._state, self._layers
        register = HeadraceFunction(
            self,
            "Register",
            source="register",
            settings=settings.RegisterSettings(
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                max_model_bytes=MAX_MODEL_BYTES,
                trial_timeout_s=20,
                trial_memory_mb=2048,
            ),
            layers=[layers.runtime, layers.essentials, layers.inference, layers.onnx],
            memory_mb=3008,
            timeout_s=120,
            disk_mb=MODELS_DISK_MB,
        )
        queue = WorkQueue(self, "RegisterQueue", consumer=register, batch_size=1, max_concurrency=2)
        ObjectEvents(self, "DroppedModels", bucket=state.models, key=f"{DROPPED}.onnx", queue=queue)
        grants.list_objects(register.role, state.models)
        grants.read_objects(register.role, state.models, DROPPED)
        grants.read_objects(register.role, state.models, ARTIFACTS)
        grants.put_objects(register.role, state.models, ARTIFACTS)
        grants.read_items(register.role, state.registry)
        grants.write_items(register.role, state.registry)

    def _batch(self) -> WorkQueue:
        state, layers = self._state, self._layers
        batch = HeadraceFunction(
            self,
            "Batch",
            source="batch",
            settings=settings.BatchSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                batch_rows=4096,
                models_memory_mb=ONE_CPU_MB - BESIDE_MODELS_MB,
                threads=1,
            ),
            layers=[layers.runtime, layers.essentials, layers.inference],
            memory_mb=ONE_CPU_MB,
            timeout_s=900,
            disk_mb=MODELS_DISK_MB,
        )
        grants.list_objects(batch.role, state.inbox)
        grants.read_objects(batch.role, state.inbox, "*")
        grants.read_objects(batch.role, state.models, ARTIFACTS)
        grants.put_objects(batch.role, state.results, "*")
        # Whether a job's manifest stands already is asked by reading it.
        grants.read_objects(batch.role, state.results, "*")
        grants.list_objects(batch.role, state.results)
        grants.read_items(batch.role, state.registry)
        grants.read_items(batch.role, state.jobs)
        grants.write_items(batch.role, state.jobs)
        return WorkQueue(self, "Shards", consumer=batch, batch_size=1, max_concurrency=10)

    def _intake(self, shards: WorkQueue) -> None:
        state, layers = self._state, self._layers
        intake = HeadraceFunction(
            self,
            "Intake",
            source="intake",
            settings=settings.IntakeSettings(
                inbox_bucket=state.inbox.bucket_name,
                results_bucket=state.results.bucket_name,
                registry_table=state.registry.table_name,
                jobs_table=state.jobs.table_name,
                shards_queue_url=shards.queue.queue_url,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=512,
            timeout_s=60,
        )
        queue = WorkQueue(self, "IntakeQueue", consumer=intake, batch_size=10, max_concurrency=5)
        ObjectEvents(self, "DroppedFiles", bucket=state.inbox, queue=queue)
        grants.list_objects(intake.role, state.inbox)
        grants.read_objects(intake.role, state.inbox, "*")
        grants.put_objects(intake.role, state.results, "*")
        grants.read_objects(intake.role, state.results, "*")
        grants.list_objects(intake.role, state.results)
        grants.read_items(intake.role, state.registry)
        grants.read_items(intake.role, state.jobs)
        grants.write_items(intake.role, state.jobs)
        grants.send_messages(intake.role, shards.queue)
