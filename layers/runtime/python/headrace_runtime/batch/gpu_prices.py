"""What instances with GPUs cost, and how fast they are held to be: a dated table."""

from dataclasses import dataclass

# On-demand prices of SageMaker in USD an hour, as public repositories have them from AWS's Price
# List API: us-east-1 as of 2026-08-17 (g5.xlarge the same as reported from there in 2026-05), and
# us-west-2, whose prices are us-east-1's wherever both are known, read 2026-11-26 and not dated.
# Hosting costs what transform jobs cost. Other regions are dearer, by a tenth to a half.
_EAST, _WEST, ASSUMED = "us-east-1, 2026-08", "us-west-2, 2026", "assumed"
_DEAR = 100.0  # of what is not in the table: more than all that is


@dataclass(frozen=True, slots=True)
class GpuFamily:
    """What the instances of a family have in common.

    Attributes:
        gpu: which.
        memory_gb: of one GPU.
        speed: of one GPU over one vCPU of Lambda, many records at a time. Assumed, not measured:
            the bandwidths of their memories by data sheet, over 10 GB/s of a vCPU, as what runs
            a row of few numbers waits for memory. A network that reckons much is faster.
        transforms: whether batch transform takes it; what is made for training it does not.
    """

    gpu: str
    memory_gb: int
    speed: float
    transforms: bool = True


@dataclass(frozen=True, slots=True)
class GpuInstance:
    """An instance type.

    Attributes:
        gpus: how many it has; Triton runs the model on each.
        usd_per_hour: on demand.
        priced: where and when that was the price; ASSUMED where nobody said.
    """

    name: str
    family: GpuFamily
    gpus: int
    usd_per_hour: float
    priced: str

    @property
    def speed(self) -> float:
        """Of the instance over one vCPU."""
        return self.gpus * self.family.speed

    @property
    def usd_per_s(self) -> float:
        """What a second costs."""
        return self.usd_per_hour / 3600


_FAMILIES = {
    "g4dn": GpuFamily("NVIDIA T4", 16, 32),
    "g5": GpuFamily("NVIDIA A10G", 24, 60),
    "g6": GpuFamily("NVIDIA L4", 24, 30),
    "g6e": GpuFamily("NVIDIA L40S", 48, 86),
    "g7e": GpuFamily("NVIDIA RTX PRO 6000", 96, 160, transforms=False),
    "p4d": GpuFamily("NVIDIA A100", 40, 155, transforms=False),
    "p5": GpuFamily("NVIDIA H100", 80, 335, transforms=False),
}
_UNKNOWN = GpuFamily("unknown", 16, 30, transforms=False)  # the least of those above

# GPUs, USD an hour, where and when.
_PRICES = {
    "ml.g4dn.xlarge": (1, 0.7364, _WEST),
    "ml.g4dn.2xlarge": (1, 0.94, _WEST),
    "ml.g5.xlarge": (1, 1.408, _EAST),
    "ml.g5.2xlarge": (1, 1.515, _EAST),
    "ml.g5.4xlarge": (1, 2.03, _WEST),
    "ml.g5.8xlarge": (1, 3.06, _WEST),
    "ml.g5.12xlarge": (4, 7.09, _WEST),
    "ml.g5.16xlarge": (1, 5.12, _WEST),
    "ml.g5.24xlarge": (4, 10.18, _WEST),
    "ml.g5.48xlarge": (8, 20.36, _WEST),
    "ml.g6.xlarge": (1, 1.1267, _WEST),
    "ml.g6.2xlarge": (1, 1.222, _WEST),
    "ml.g6.4xlarge": (1, 1.654, _WEST),
    "ml.g6.8xlarge": (1, 2.518, _WEST),
    "ml.g6.12xlarge": (4, 5.752, _WEST),
    "ml.g6.24xlarge": (4, 8.344, _WEST),
    "ml.g6.48xlarge": (8, 16.688, _WEST),
    "ml.g6e.xlarge": (1, 2.61, _EAST),
    "ml.g6e.2xlarge": (1, 2.80, _EAST),
    "ml.g6e.4xlarge": (1, 3.76, _EAST),
    "ml.g6e.8xlarge": (1, 5.6607, _EAST),
    "ml.g6e.12xlarge": (4, 13.12, _EAST),
    "ml.g6e.24xlarge": (4, 18.832, _WEST),
    "ml.g6e.48xlarge": (8, 37.664, _WEST),
    "ml.g7e.2xlarge": (1, 4.2039, _WEST),
    "ml.g7e.4xlarge": (1, 4.9977, _WEST),
    "ml.g7e.8xlarge": (1, 6.5853, _WEST),
    "ml.g7e.12xlarge": (2, 10.3576, _WEST),
    "ml.g7e.24xlarge": (4, 20.7152, _WEST),
    "ml.g7e.48xlarge": (8, 41.4304, _WEST),
    "ml.p4d.24xlarge": (8, 25.2513, _WEST),
    "ml.p5.48xlarge": (8, 63.296, _WEST),
}


def gpu_instance(name: str) -> GpuInstance:
    """Return what is known of an instance type, `ml.g5.xlarge`; every name has an answer.

    One that is not in the table is held to be dear and slow: a job goes there where it must.
    """
    family = _FAMILIES.get(name.split(".")[1] if name.count(".") == 2 else "", _UNKNOWN)
    gpus, usd_per_hour, priced = _PRICES.get(name, (1, _DEAR, ASSUMED))
    return GpuInstance(name, family, gpus, usd_per_hour, priced)


def known_instances() -> tuple[GpuInstance, ...]:
    """Return all instance types that have a price with a source."""
    return tuple(map(gpu_instance, _PRICES))
