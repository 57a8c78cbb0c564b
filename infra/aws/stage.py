"""A stage: what one deployment of Headrace is like, as values with checked ranges."""

from dataclasses import dataclass, field
from typing import Literal

from infra.aws.gpu_work import GpuWork
from infra.aws.ranges import one_of, within, written_as
from infra.aws.stage_parts import (
    AlarmThresholds,
    CodeCanary,
    CustomDomain,
    FunctionMemory,
    ProvisionedConcurrency,
    SnapStart,
    TokenIssuer,
    one_of_warm,
)
from infra.aws.triton_images import TRITON

# What CloudWatch Logs knows, up to two years.
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)
# AWS takes no snapshot of a function with more.
SNAPSHOT_DISK_MB = 512
_ORIGIN = r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One deployment. A wrong value is refused with its field, itself and the valid range.

    Attributes:
        name: part of the stacks' names: a lower-case letter, then up to 15 letters and digits.
        region: `eu-west-1`; left out, whichever the deployer's credentials are set to.
        architecture: x86_64 or arm64.
        memory: of each function.
        predict_disk_mb: what predict's /tmp holds: a loaded model's weights stay there. 512 to
            10,240; 512 with SnapStart. At least twice `max_model_mb`.
        max_model_mb: a larger model is refused. 1 to 2,048.
        warm: how predict is kept warm, if it is: each way excludes the other.
        log_retention_days: for how long logs are kept, one of `RETENTIONS`.
        log_level: DEBUG, INFO, WARNING or ERROR.
        tracing: whether calls are traced by X-Ray.
        throttle_rate_per_s: calls a second that the API takes. 1 to 10,000, AWS's own limit.
        throttle_burst: calls at one moment. 1 to 5,000.
        auth: `keys` (API keys, and tokens of `jwt`) or `iam` (calls signed with SigV4).
        jwt: whose tokens are believed beside our keys; only with `keys`.
        cors_origins: pages that may call from a browser: `https://app.example.com`.
        domain: a name of one's own.
        inbox_days: after how many days dropped files are removed; 0 never. 0 to 3,650.
        results_days: the same of results.
        max_concurrency: shards that are worked at a time, and as many of Parquet files. 2 to
            1,000, AWS's own limit; below the account's concurrency, which it shares.
        private_webhooks: whether webhooks may lie in private networks, and on this very machine,
            over plain http: only where nobody but its user can submit a job.
        alarms: from where on somebody is told.
        alarm_email: who is told; nobody by mail if left out.
        monthly_budget_usd: of the whole account; told at 80 % and when 100 % are foreseen.
        code_canary: how new code is tried; left out, it answers every call at once.
        gpu: what heavy work may take of SageMaker; left out, all work is done on Lambda, and
            nothing is made of SageMaker's.
    """

    name: str
    region: str | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    memory: FunctionMemory = field(default_factory=FunctionMemory)
    predict_disk_mb: int = 2048
    max_model_mb: int = 512
    warm: SnapStart | ProvisionedConcurrency | None = None
    log_retention_days: int = 30
    log_level: str = "INFO"
    tracing: bool = False
    throttle_rate_per_s: float = 100
    throttle_burst: int = 200
    auth: Literal["keys", "iam"] = "keys"
    jwt: TokenIssuer | None = None
    cors_origins: tuple[str, ...] = ()
    domain: CustomDomain | None = None
    inbox_days: int = 30
    results_days: int = 30
    max_concurrency: int = 10
    private_webhooks: bool = False
    alarms: AlarmThresholds = field(default_factory=AlarmThresholds)
    alarm_email: str | None = None
    monthly_budget_usd: float | None = None
    code_canary: CodeCanary | None = None
    gpu: GpuWork | None = None

    def __post_init__(self) -> None:
        written_as(
            "name", self.name, "[a-z][a-z0-9]{0,15}", "a lower-case letter, up to 15 more or digits"
        )
        one_of("architecture", self.architecture, ("x86_64", "arm64"))
        one_of("log_level", self.log_level, ("DEBUG", "INFO", "WARNING", "ERROR"))
        one_of("log_retention_days", self.log_retention_days, RETENTIONS)
        within("inbox_days", self.inbox_days, 0, 3650)
        within("results_days", self.results_days, 0, 3650)
        within("max_concurrency", self.max_concurrency, 2, 1000)
        if self.region is not None:
            written_as("region", self.region, r"[a-z]{2}(-[a-z]+)+-\d", "a region, as eu-west-1")
        if self.monthly_budget_usd is not None:
            within("monthly_budget_usd", self.monthly_budget_usd, 1, 1_000_000)
        if self.alarm_email is not None:
            written_as("alarm_email", self.alarm_email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an address")
        self._check_models()
        self._check_door()
        if self.gpu is not None and self.gpu.image is None and self.region is not None:
            # AWS has its image nowhere else: neither in China nor in GovCloud.
            one_of("region, with gpu and no image of its own,", self.region, TRITON.accounts)

    @property
    def title(self) -> str:
        """The name as it stands in the stacks' names."""
        return self.name.capitalize()

    def _check_models(self) -> None:
        one_of_warm(self.warm)
        within("max_model_mb", self.max_model_mb, 1, 2048)
        most = SNAPSHOT_DISK_MB if isinstance(self.warm, SnapStart) else 10_240
        within("predict_disk_mb", self.predict_disk_mb, 512, most)
        # A model is fetched while others' weights are mapped from the same disk.
        within("max_model_mb", self.max_model_mb, 1, self.predict_disk_mb // 2)

    def _check_door(self) -> None:
        within("throttle_rate_per_s", self.throttle_rate_per_s, 1, 10_000)
        within("throttle_burst", self.throttle_burst, 1, 5000)
        one_of("auth", self.auth, ("keys", "iam"))
        if self.jwt is not None:
            one_of("auth, with jwt,", self.auth, ("keys",))
        for origin in self.cors_origins:
            written_as("cors_origins", origin, _ORIGIN, "https://<host>, or http://localhost")
