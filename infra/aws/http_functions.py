"""The functions that answer calls about models and callers."""

from constructs import Construct

from headrace_runtime import settings
from infra.aws import grants, grants_sagemaker
from infra.aws.headrace_function import HeadraceFunction
from infra.aws.layers import Layers
from infra.aws.limits import models_memory_mb, whole_cpus
from infra.aws.own_event import VERSIONS_MOVED
from infra.aws.stage import Stage
from infra.aws.stage_parts import ProvisionedConcurrency, SnapStart
from infra.aws.state_stack import ARTIFACTS, DROPPED, StateStack

# The partitions of the table `access`.
KEYS = "KEYS"
POLICIES = "POLICIES"
COUNTERS = "COUNT#*"
# For how long a policy that was changed may still hold.
POLICIES_TTL_S = 5.0


class HttpFunctions(Construct):
    """Each with what its work needs of *state*.

    Attributes:
        predict, manage: Open Inference Protocol; models and aliases.
        grant: keys and policies; it alone writes them.
        observe: metrics; it alone reads what CloudWatch has of them.
        authorise: says who calls; None where API Gateway itself does.
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
        self._stage, self._state, self._layers = stage, state, layers
        self.predict = self._predict()
        self.manage = self._manage()
        self.grant = self._grant()
        self.observe = self._observe()
        self.authorise = self._authorise() if stage.auth == "keys" else None

    @property
    def all(self) -> list[HeadraceFunction]:
        """All of them."""
        asked = [self.predict, self.manage, self.grant, self.observe, self.authorise]
        return [function for function in asked if function is not None]

    def _predict(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        warm = stage.warm
        predict = HeadraceFunction(
            self,
            "Predict",
            stage=stage,
            source="predict",
            settings=settings.PredictSettings(
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                alias_ttl_s=5.0,
                models_memory_mb=models_memory_mb(
                    stage.memory.predict, disk_mb=stage.predict_disk_mb, stage=stage
                ),
                threads=whole_cpus(stage.memory.predict),
                warm_models=",".join(warm.models) if isinstance(warm, SnapStart) else "",
                access_table=state.access.table_name,
                policies_ttl_s=POLICIES_TTL_S,
                auth=stage.auth,
                gpu=int(stage.gpu is not None),
            ),
            layers=[layers.runtime, layers.essentials, layers.inference],
            memory_mb=stage.memory.predict,
            timeout_s=29,
            disk_mb=stage.predict_disk_mb,
            snapshot=isinstance(warm, SnapStart),
            sandboxes=warm.sandboxes if isinstance(warm, ProvisionedConcurrency) else 0,
        )
        grants.read_objects(predict.role, state.models, ARTIFACTS)
        grants.read_items(predict.role, state.registry)
        grants.in_partition(predict.role, state.access, POLICIES, "Query")
        if stage.gpu is not None:
            grants_sagemaker.call_endpoints(predict.role, stage)
        return predict

    def _manage(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        manage = HeadraceFunction(
            self,
            "Manage",
            stage=stage,
            source="manage",
            settings=settings.ManageSettings(
                models_bucket=state.models.bucket_name,
                registry_table=state.registry.table_name,
                max_model_bytes=stage.max_model_mb << 20,
                access_table=state.access.table_name,
                policies_ttl_s=POLICIES_TTL_S,
                auth=stage.auth,
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.manage,
            timeout_s=29,
        )
        grants.tell(manage.role, VERSIONS_MOVED)
        # It moves no bytes itself: what it signed is done with its permission.
        grants.put_objects(manage.role, state.models, DROPPED)
        grants.read_items(manage.role, state.registry)
        grants.write_items(manage.role, state.registry)
        grants.in_partition(manage.role, state.access, POLICIES, "Query")
        return manage

    def _grant(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        grant = HeadraceFunction(
            self,
            "Grant",
            stage=stage,
            source="grant",
            settings=settings.GrantSettings(access_table=state.access.table_name, auth=stage.auth),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.grant,
            timeout_s=29,
        )
        role, table = grant.role, state.access
        grants.in_partition(role, table, KEYS, "Query", "PutItem", "UpdateItem")
        grants.in_partition(role, table, POLICIES, "GetItem", "Query", "PutItem", "DeleteItem")
        return grant

    def _observe(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        observe = HeadraceFunction(
            self,
            "Observe",
            stage=stage,
            source="observe",
            settings=settings.ObserveSettings(
                access_table=state.access.table_name, policies_ttl_s=POLICIES_TTL_S, auth=stage.auth
            ),
            layers=[layers.runtime, layers.essentials],
            memory_mb=stage.memory.observe,
            timeout_s=29,
        )
        grants.in_partition(observe.role, state.access, POLICIES, "Query")
        grants.read_metrics(observe.role)
        return observe

    def _authorise(self) -> HeadraceFunction:
        stage, state, layers = self._stage, self._state, self._layers
        authorise = HeadraceFunction(
            self,
            "Authorise",
            stage=stage,
            source="authorise",
            settings=settings.AuthoriseSettings(
                access_table=state.access.table_name,
                jwt_issuer=stage.jwt.issuer if stage.jwt else "",
                jwt_audience=stage.jwt.audience if stage.jwt else "",
            ),
            layers=[layers.runtime, layers.essentials, layers.tokens],
            memory_mb=stage.memory.authorise,
            # API Gateway waits no longer for whom it asks.
            timeout_s=10,
        )
        grants.in_partition(authorise.role, state.access, KEYS, "GetItem")
        grants.in_partition(authorise.role, state.access, COUNTERS, "UpdateItem")
        return authorise
