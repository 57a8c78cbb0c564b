"""The one recipe by which every function is made."""

from collections.abc import Sequence

from aws_cdk import Duration, IgnoreMode, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from headrace_runtime.settings import Settings
from infra.aws.source_tree import NOT_SOURCES, ROOT, note_source


class HeadraceFunction(Construct):
    """One folder of `functions/` on Lambda, with its own role and log group.

    The role may write to that log group and nothing else: whoever sees both ends grants the rest.

    Args:
        source: the folder's name; the function is deployed exactly as it lies there.
        settings: what the handler reads from its environment.
        layers: at most 5, which is Lambda's limit.
        memory_mb: 128 to 10,240; 1,769 MB own one whole vCPU.
        timeout_s: 1 to 900.
        disk_mb: what /tmp holds. 512 to 10,240.
        retention: for how long logs are kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        settings: Settings,
        layers: Sequence[lambda_.ILayerVersion],
        memory_mb: int,
        timeout_s: int,
        disk_mb: int = 512,
        retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        self.timeout_s = timeout_s
        log_group = logs.LogGroup(
            self, "Logs", retention=retention, removal_policy=RemovalPolicy.DESTROY
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Headrace: {source}",
            code=lambda_.Code.from_asset(
                str(ROOT / "functions" / source), exclude=NOT_SOURCES, ignore_mode=IgnoreMode.GLOB
            ),
            handler="handler.lambda_handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.X86_64,
            layers=list(layers),
            environment=settings.to_env()
            | {
                "POWERTOOLS_SERVICE_NAME": source,
                # OpenBLAS starts a pool of threads at import, which ONNX Runtime never uses:
                # without it importing numpy takes 35-55 ms less.
                "OPENBLAS_NUM_THREADS": "1",
            },
            memory_size=memory_mb,
            timeout=Duration.seconds(timeout_s),
            ephemeral_storage_size=Size.mebibytes(disk_mb),
            role=self.role,
            log_group=log_group,
            recursive_loop=lambda_.RecursiveLoop.TERMINATE,
        )
        note_source(self.function, f"functions/{source}")
