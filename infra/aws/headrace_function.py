"""The one recipe by which every function is made."""

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations, Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from headrace_runtime.settings import Settings
from infra.aws import code_assets
from infra.aws.log_group import LogGroup
from infra.aws.source_tree import note_source
from infra.aws.stage import Stage

ARCHITECTURES = {
    "x86_64": lambda_.Architecture.X86_64,
    "arm64": lambda_.Architecture.ARM_64,
}
_LOOPS = {False: lambda_.RecursiveLoop.TERMINATE, True: lambda_.RecursiveLoop.ALLOW}


class HeadraceFunction(Construct):
    """One folder of `functions/` on Lambda, with its own role and log group.

    The role may write to that log group, and traces where the stage wants them, and nothing else:
    whoever sees both ends grants the rest. Whatever wakes the function wakes its alias `live`,
    which names a published version, so that new code can be tried and taken back.

    Args:
        stage: architecture, log level, retention, tracing.
        source: the folder's name; the function is deployed exactly as it lies there.
        settings: what the handler reads from its environment.
        environment: what libraries read from it beside that.
        layers: at most 5, which is Lambda's limit.
        memory_mb: 128 to 10,240; 1,769 MB own one whole vCPU.
        timeout_s: 1 to 900.
        disk_mb: what /tmp holds. 512 to 10,240.
        snapshot: whether it starts from a snapshot of itself.
        sandboxes: those that wait, initialised. 0 or more; not with a snapshot.
        wakes_itself: whether it puts work into the queue that feeds it, as often as the work
            takes. Of any other function Lambda ends what looks like a loop: some 16 calls, each
            woken by the one before; of this one it would end a long job.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        source: str,
        settings: Settings,
        layers: Sequence[lambda_.ILayerVersion],
        memory_mb: int,
        timeout_s: int,
        environment: Mapping[str, str] | None = None,
        disk_mb: int = 512,
        snapshot: bool = False,
        sandboxes: int = 0,
        wakes_itself: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.source = source
        self.title = source.title().replace("_", "")
        self.timeout_s = timeout_s
        log_group = LogGroup(self, "Logs", stage=stage)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.role)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Headrace: {source}",
            code=code_assets.own(self, f"functions/{source}"),
            handler="handler.lambda_handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=ARCHITECTURES[stage.architecture],
            layers=list(layers),
            environment=settings.to_env()
            | {
                "POWERTOOLS_SERVICE_NAME": source,
                "POWERTOOLS_LOG_LEVEL": stage.log_level,
                # OpenBLAS starts a pool of threads at import, which ONNX Runtime never uses:
                # without it importing numpy takes 35-55 ms less.
                "OPENBLAS_NUM_THREADS": "1",
                **(environment or {}),
            },
            memory_size=memory_mb,
            timeout=Duration.seconds(timeout_s),
            ephemeral_storage_size=Size.mebibytes(disk_mb),
            role=self.role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE if stage.tracing else lambda_.Tracing.DISABLED,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snapshot else None,
            recursive_loop=_LOOPS[wakes_itself],
        )
        Annotations.of(self.function).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish", "What is woken is a published version."
        )
        note_source(self.function, f"functions/{source}")
        self.version = self.function.current_version
        self.live = lambda_.Alias(
            self,
            "Live",
            alias_name="live",
            version=self.version,
            provisioned_concurrent_executions=sandboxes or None,
        )
