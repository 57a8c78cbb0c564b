"""What a stage is made of. Every value is checked as it is written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from infra.aws.ranges import one_of, within, written_as

_DOMAIN = r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}"
_CERTIFICATE = r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+"
_MODEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionMemory:
    """Memory by function, in MB: 128 to 10,240; 1,769 MB own one whole vCPU.

    A new account's limit is 3,008 until AWS raises it.
    """

    authorise: int = 512
    batch: int = 1769
    batch_parquet: int = 3008
    collect: int = 3008
    grant: int = 512
    hand_off: int = 3008
    intake: int = 512
    manage: int = 512
    notify: int = 512
    observe: int = 512
    predict: int = 1769
    provision: int = 512
    redrive: int = 512
    register: int = 3008
    submit: int = 512
    sweep: int = 512

    def __post_init__(self) -> None:
        for function, memory_mb in asdict(self).items():
            within(f"memory.{function}", memory_mb, 128, 10_240)
        # Beside Python and the runtime there must be room for a model, and for one on trial.
        within("memory.predict", self.predict, 1024, 10_240)
        within("memory.batch", self.batch, 1024, 10_240)
        within("memory.batch_parquet", self.batch_parquet, 1024, 10_240)
        # Both read Parquet, too.
        within("memory.collect", self.collect, 1024, 10_240)
        within("memory.hand_off", self.hand_off, 1024, 10_240)
        within("memory.register", self.register, 2048, 10_240)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapStart:
    """predict starts from a snapshot of itself, taken when its code is published.

    Attributes:
        models: at most 20 that are loaded and run once before the snapshot: `digits` (its alias
            live) or `digits@3` (a version or alias). A version that comes later is loaded when
            it is first called, until the code is published again.
    """

    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        within("warm.models, their number,", len(self.models), 0, 20)
        for model in self.models:
            written_as("warm.models", model, rf"{_MODEL}(@{_MODEL})?", "model or model@version")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrency:
    """Sandboxes of predict that wait, initialised, and are paid for while they wait.

    Attributes:
        sandboxes: 1 to 1,000.
    """

    sandboxes: int = 1

    def __post_init__(self) -> None:
        within("warm.sandboxes", self.sandboxes, 1, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCanary:
    """New code answers a share of calls first, and all of them if no alarm rings.

    Attributes:
        percent: of calls, 1 to 99.
        minutes: for how long, 1 to 2,880.
    """

    percent: int = 10
    minutes: int = 10

    def __post_init__(self) -> None:
        within("code_canary.percent", self.percent, 1, 99)
        within("code_canary.minutes", self.minutes, 1, 2880)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmThresholds:
    """From where on somebody is told.

    Attributes:
        errors: calls of a function that fail in five minutes. 1 to 10,000.
        latency_ms: the slowest of a hundred calls of an HTTP function. 10 to 30,000.
        throttles: calls of a function that are refused in five minutes. 1 to 10,000.
        server_error_percent: of the API's answers that are our fault. 0.1 to 100.
        oldest_message_s: a message's age in the queues of what was dropped. 60 to 1,209,600.
        stuck_job_s: a shard's age in the queues of shards. 900 to 1,209,600.
        gpu_failures: bodies of shards that SageMaker failed to answer in five minutes. 1 to 10,000.
        concurrency: calls at a time, of all functions of the account. 1 to 100,000.
    """

    errors: int = 5
    latency_ms: int = 3000
    throttles: int = 10
    server_error_percent: float = 1.0
    oldest_message_s: int = 900
    stuck_job_s: int = 7200
    gpu_failures: int = 5
    concurrency: int = 800

    def __post_init__(self) -> None:
        ranges: Mapping[str, tuple[float, float]] = {
            "errors": (1, 10_000),
            "latency_ms": (10, 30_000),
            "throttles": (1, 10_000),
            "server_error_percent": (0.1, 100),
            "oldest_message_s": (60, 1_209_600),
            "stuck_job_s": (900, 1_209_600),
            "gpu_failures": (1, 10_000),
            "concurrency": (1, 100_000),
        }
        for name, (low, high) in ranges.items():
            within(f"alarms.{name}", getattr(self, name), low, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomDomain:
    """The API under a name of one's own.

    Attributes:
        name: `predict.example.com`.
        certificate_arn: of a certificate in ACM, in the stage's region, issued for that name.
        hosted_zone_id: of Route 53, where the name is then written; left out, whoever runs the
            name's zone does it.
    """

    name: str
    certificate_arn: str
    hosted_zone_id: str | None = None

    def __post_init__(self) -> None:
        written_as("domain.name", self.name, _DOMAIN, "a domain name in lower case")
        written_as("domain.certificate_arn", self.certificate_arn, _CERTIFICATE, "an ARN of ACM")
        if self.hosted_zone_id is not None:
            meaning = "an id of Route 53, as Z0123456789ABC"
            written_as("domain.hosted_zone_id", self.hosted_zone_id, r"Z[A-Z0-9]{1,31}", meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssuer:
    """Whose JSON Web Tokens are believed.

    Attributes:
        issuer: `https://login.example.com/`: the tokens' `iss`, to the letter.
        audience: the tokens' `aud`: what they were issued for.
    """

    issuer: str
    audience: str

    def __post_init__(self) -> None:
        written_as("jwt.issuer", self.issuer, r"https://[^\s?#]+", "an https:// address")
        written_as("jwt.audience", self.audience, r"\S.{0,254}", "1 to 255 characters")


def one_of_warm(warm: object) -> None:
    """Check that *warm* is one way of keeping predict warm, or none.

    Raises:
        ValueError: it is something else.
    """
    ways = (SnapStart, ProvisionedConcurrency, type(None))
    one_of("warm", type(warm).__name__, [way.__name__ for way in ways])
