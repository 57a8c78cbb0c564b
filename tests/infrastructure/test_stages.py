"""A stage's values: what is accepted, and what is said of one that is not."""

import re
from dataclasses import replace

import pytest

from infra.aws.gpu_work import GpuWork
from infra.aws.stage import Stage
from infra.aws.stage_parts import (
    AlarmThresholds,
    CodeCanary,
    CustomDomain,
    FunctionMemory,
    ProvisionedConcurrency,
    SnapStart,
    TokenIssuer,
)
from infra.aws.stages import STAGES, stage_named

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/0123abcd-0000-0000-0000-00000000000a"
STAGE = Stage(name="test")
SNAPSHOT = Stage(name="test", warm=SnapStart(), predict_disk_mb=512, max_model_mb=256)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "Prod"}, "name is 'Prod'; valid is a lower-case letter"),
        ({"name": "a" * 17}, "valid is a lower-case letter"),
        ({"region": "Ireland"}, "region is 'Ireland'; valid is a region, as eu-west-1."),
        ({"architecture": "arm"}, "architecture is 'arm'; valid is one of x86_64, arm64."),
        ({"log_level": "VERBOSE"}, "log_level is 'VERBOSE'; valid is one of DEBUG, INFO"),
        ({"log_retention_days": 31}, "log_retention_days is 31; valid is one of 1, 3, 5, 7,"),
        ({"throttle_rate_per_s": 0}, "throttle_rate_per_s is 0; valid is 1 to 10000."),
        ({"throttle_burst": 5001}, "throttle_burst is 5001; valid is 1 to 5000."),
        ({"predict_disk_mb": 511}, "predict_disk_mb is 511; valid is 512 to 10240."),
        ({"predict_disk_mb": 10_241}, "predict_disk_mb is 10241; valid is 512 to 10240."),
        ({"max_model_mb": 0}, "max_model_mb is 0; valid is 1 to 2048."),
        ({"max_model_mb": 1025}, "max_model_mb is 1025; valid is 1 to 1024."),
        ({"inbox_days": -1}, "inbox_days is -1; valid is 0 to 3650."),
        ({"results_days": 3651}, "results_days is 3651; valid is 0 to 3650."),
        ({"max_concurrency": 1}, "max_concurrency is 1; valid is 2 to 1000."),
        ({"max_concurrency": 1001}, "max_concurrency is 1001; valid is 2 to 1000."),
        ({"auth": "open"}, "auth is 'open'; valid is one of keys, iam."),
        ({"cors_origins": ("*",)}, "cors_origins is '*'; valid is https://<host>"),
        ({"cors_origins": ("http://example.com",)}, "valid is https://<host>, or http://localhost"),
        ({"alarm_email": "oncall"}, "alarm_email is 'oncall'; valid is an address."),
        ({"monthly_budget_usd": 0}, "monthly_budget_usd is 0; valid is 1 to 1000000."),
        ({"warm": "yes"}, "warm is 'str'; valid is one of SnapStart, ProvisionedConcurrency"),
    ],
)
def test_a_wrong_value_is_refused_with_the_valid_range(values: dict, said: str):
    with pytest.raises(ValueError, match=re.escape(said)):
        replace(STAGE, **values)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FunctionMemory(manage=127), "memory.manage is 127; valid is 128 to 10240."),
        (lambda: FunctionMemory(predict=512), "memory.predict is 512; valid is 1024 to 10240."),
        (lambda: FunctionMemory(batch=512), "memory.batch is 512; valid is 1024 to 10240."),
        (lambda: FunctionMemory(batch_parquet=512), "memory.batch_parquet is 512; valid is 1024"),
        (lambda: FunctionMemory(register=1024), "memory.register is 1024; valid is 2048"),
        (lambda: SnapStart(models=("Digits",)), "warm.models is 'Digits'; valid is model or"),
        (lambda: SnapStart(models=("a",) * 21), "warm.models, their number, is 21; valid is 0"),
        (lambda: ProvisionedConcurrency(sandboxes=0), "warm.sandboxes is 0; valid is 1 to 1000."),
        (lambda: CodeCanary(percent=100), "code_canary.percent is 100; valid is 1 to 99."),
        (lambda: CodeCanary(minutes=0), "code_canary.minutes is 0; valid is 1 to 2880."),
        (lambda: AlarmThresholds(errors=0), "alarms.errors is 0; valid is 1 to 10000."),
        (lambda: AlarmThresholds(latency_ms=9), "alarms.latency_ms is 9; valid is 10 to 30000."),
        (lambda: AlarmThresholds(throttles=0), "alarms.throttles is 0; valid is 1 to 10000."),
        (
            lambda: AlarmThresholds(server_error_percent=101),
            "alarms.server_error_percent is 101; valid is 0.1 to 100.",
        ),
        (lambda: AlarmThresholds(oldest_message_s=1), "alarms.oldest_message_s is 1; valid is 60"),
        (lambda: AlarmThresholds(stuck_job_s=60), "alarms.stuck_job_s is 60; valid is 900"),
        (lambda: AlarmThresholds(concurrency=0), "alarms.concurrency is 0; valid is 1 to 100000."),
        (
            lambda: CustomDomain(name="https://a.example.com", certificate_arn=CERTIFICATE),
            "domain.name is 'https://a.example.com'; valid is a domain name in lower case.",
        ),
        (
            lambda: CustomDomain(name="a.example.com", certificate_arn="arn:aws:iam::1:role/x"),
            "domain.certificate_arn is 'arn:aws:iam::1:role/x'; valid is an ARN of ACM.",
        ),
        (
            lambda: CustomDomain(
                name="a.example.com", certificate_arn=CERTIFICATE, hosted_zone_id="example.com"
            ),
            "domain.hosted_zone_id is 'example.com'; valid is an id of Route 53",
        ),
        (
            lambda: GpuWork(instance_types=("ml.g6.xlarge", "g5.xlarge")),
            "gpu.instance_types is 'g5.xlarge'; valid is ml.<family>.<size>, family one of g4dn,",
        ),
        (
            lambda: GpuWork(instance_types=("ml.g4dn.24xlarge",)),
            "gpu.instance_types is 'ml.g4dn.24",
        ),
        (lambda: GpuWork(instance_types=()), "gpu.instance_types, their number, is 0; valid is 1"),
        (lambda: GpuWork(max_instances=0), "gpu.max_instances is 0; valid is 1 to 100."),
        (lambda: GpuWork(cpu_limit_s=0), "gpu.cpu_limit_s is 0; valid is 1 to 10000000."),
        (
            lambda: GpuWork(monthly_budget_usd=0),
            "gpu.monthly_budget_usd is 0; valid is 1 to 1000000",
        ),
        (
            lambda: GpuWork(on_failure="wait"),
            "gpu.on_failure is 'wait'; valid is one of cpu, fail.",
        ),
        (lambda: GpuWork(image="triton"), "gpu.image is 'triton'; valid is <account>.dkr.ecr.<reg"),
        (
            lambda: GpuWork(invocation_timeout_s=3601),
            "gpu.invocation_timeout_s is 3601; valid is 1 to 3600.",
        ),
        (lambda: GpuWork(request_ttl_s=59), "gpu.request_ttl_s is 59; valid is 60 to 21600."),
        (lambda: GpuWork(endpoint_wait_s=59), "gpu.endpoint_wait_s is 59; valid is 60 to 21600."),
        (lambda: AlarmThresholds(gpu_failures=0), "alarms.gpu_failures is 0; valid is 1 to 10000."),
        (lambda: FunctionMemory(hand_off=512), "memory.hand_off is 512; valid is 1024 to 10240."),
        (lambda: FunctionMemory(collect=512), "memory.collect is 512; valid is 1024 to 10240."),
        (
            lambda: TokenIssuer(issuer="http://login.example.com", audience="a"),
            "jwt.issuer is 'http://login.example.com'; valid is an https:// address.",
        ),
        (
            lambda: TokenIssuer(issuer="https://login.example.com", audience=""),
            "jwt.audience is ''; valid is 1 to 255 characters.",
        ),
    ],
)
def test_a_wrong_part_is_refused_with_the_valid_range(make, said: str):
    with pytest.raises(ValueError, match=re.escape(said)):
        make()


def test_a_snapshot_has_no_larger_disk():
    with pytest.raises(ValueError, match=r"predict_disk_mb is 513; valid is 512 to 512\."):
        replace(SNAPSHOT, predict_disk_mb=513)


def test_a_snapshot_excludes_waiting_sandboxes_and_their_disk_may_be_larger():
    waiting = replace(SNAPSHOT, warm=ProvisionedConcurrency(sandboxes=2), predict_disk_mb=4096)
    assert not isinstance(waiting.warm, SnapStart)


def test_the_largest_model_fits_on_the_disk_beside_what_is_loaded():
    with pytest.raises(ValueError, match=r"max_model_mb is 257; valid is 1 to 256\."):
        replace(SNAPSHOT, max_model_mb=257)


def test_tokens_are_not_believed_where_calls_are_signed():
    token = TokenIssuer(issuer="https://login.example.com/", audience="headrace")
    with pytest.raises(ValueError, match="auth, with jwt, is 'iam'; valid is one of keys"):
        replace(STAGE, auth="iam", jwt=token)


def test_the_stages_that_there_are():
    assert set(STAGES) == {"local", "dev", "prod"}
    assert all(stage.name == name for name, stage in STAGES.items())


def test_no_name_means_dev():
    assert stage_named(None) is STAGES["dev"]


def test_a_stage_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(ValueError, match="no stage 'staging'; there are local, dev, prod"):
        stage_named("staging")
