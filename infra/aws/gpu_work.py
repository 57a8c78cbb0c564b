"""Work that is too heavy for Lambda, on GPUs of SageMaker."""

from dataclasses import dataclass
from typing import Literal, Self

from infra.aws.ranges import one_of, within, written_as

# Those that SageMaker takes for endpoints and for transform jobs alike.
_INSTANCE = r"ml\.(g4dn\.(2|4|8|12|16)?|(g5|g6|g6e)\.(2|4|8|12|16|24|48)?)xlarge"
_IMAGE = r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9._/-]+[:@][A-Za-z0-9._:-]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuWork:
    """What models and jobs may take of SageMaker.

    Attributes:
        instance_types: `ml.g6.xlarge` and the like, best first: endpoints and transform jobs
            take the next one where SageMaker has none of the one before. 1 to 5 of the families
            g4dn, g5, g6, g6e.
        max_instances: of an endpoint, or of a transform job, at a time. 1 to 100; the least that
            an endpoint has is 0.
        cpu_limit_s: vCPU seconds of a model in one job, above which the job goes to a GPU by
            itself. 1 to 10,000,000.
        monthly_budget_usd: what all GPUs may cost in a month; then no job is given to one any
            more until the next month. 1 to 1,000,000.
        on_failure: what becomes of a shard that SageMaker failed to answer again and again: it is
            worked on Lambda (`cpu`), or its job fails (`fail`).
        image: URI of the container that serves; left out, AWS's own `sagemaker-tritonserver`.
        invocation_timeout_s: of one body's run. 1 to 3,600, SageMaker's own limit.
        request_ttl_s: for how long a body may wait for an instance. 60 to 21,600, SageMaker's own
            limit.
        endpoint_wait_s: for how long an endpoint is waited for that is not there yet. 60 to
            21,600.
    """

    instance_types: tuple[str, ...] = ("ml.g6.xlarge", "ml.g5.xlarge")
    max_instances: int = 2
    cpu_limit_s: float = 7200
    monthly_budget_usd: float = 100
    on_failure: Literal["cpu", "fail"] = "cpu"
    image: str | None = None
    invocation_timeout_s: int = 900
    request_ttl_s: int = 21_600
    endpoint_wait_s: int = 1800

    def __post_init__(self) -> None:
        within("gpu.instance_types, their number,", len(self.instance_types), 1, 5)
        for instance_type in self.instance_types:
            meaning = "ml.<family>.<size>, family one of g4dn, g5, g6, g6e"
            written_as("gpu.instance_types", instance_type, _INSTANCE, meaning)
        within("gpu.max_instances", self.max_instances, 1, 100)
        within("gpu.cpu_limit_s", self.cpu_limit_s, 1, 10_000_000)
        within("gpu.monthly_budget_usd", self.monthly_budget_usd, 1, 1_000_000)
        one_of("gpu.on_failure", self.on_failure, ("cpu", "fail"))
        if self.image is not None:
            meaning = "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"
            written_as("gpu.image", self.image, _IMAGE, meaning)
        within("gpu.invocation_timeout_s", self.invocation_timeout_s, 1, 3600)
        within("gpu.request_ttl_s", self.request_ttl_s, 60, 21_600)
        within("gpu.endpoint_wait_s", self.endpoint_wait_s, 60, 21_600)


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuMeans:
    """What those functions are told of a stage's GPUs that place jobs; nothing where it has none.

    Attributes:
        instance_type: the stage's first choice.
    """

    instance_type: str = ""
    max_instances: int = 0
    cpu_limit_s: float = 0.0
    monthly_usd: float = 0.0

    @classmethod
    def of(cls, gpu: GpuWork | None) -> Self:
        """Return the means that *gpu* gives."""
        if gpu is None:
            return cls()
        return cls(
            instance_type=gpu.instance_types[0],
            max_instances=gpu.max_instances,
            cpu_limit_s=float(gpu.cpu_limit_s),
            monthly_usd=float(gpu.monthly_budget_usd),
        )
