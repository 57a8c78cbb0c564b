"""Every function is made by the one recipe."""

import pytest

from headrace_runtime import settings, work_settings
from infra.aws.stages import STAGES
from tests.infrastructure.cloud import ROOT, Cloud

SETTINGS = {
    "predict": settings.PredictSettings,
    "manage": settings.ManageSettings,
    "observe": settings.ObserveSettings,
    "register": work_settings.RegisterSettings,
    "intake": work_settings.IntakeSettings,
    "batch": work_settings.BatchSettings,
    "batch_parquet": work_settings.BatchSettings,
    "submit": settings.SubmitSettings,
    "sweep": work_settings.SweepSettings,
    "notify": work_settings.NotifySettings,
    "redrive": settings.RedriveSettings,
    "authorise": settings.AuthoriseSettings,
    "grant": settings.GrantSettings,
    "hand_off": work_settings.HeavySettings,
    "collect": work_settings.HeavySettings,
    "provision": work_settings.ProvisionSettings,
}


def test_every_folder_of_functions_is_deployed(cloud: Cloud):
    folders = {path.parent.name for path in ROOT.glob("functions/*/__init__.py")}
    assert folders == set(cloud.functions)


@pytest.mark.parametrize(
    ("function", "memory_mb", "timeout_s"),
    [
        ("predict", 1769, 29),
        ("manage", 512, 29),
        ("observe", 512, 29),
        ("grant", 512, 29),
        ("authorise", 512, 10),
        ("register", 3008, 120),
        ("intake", 512, 900),
        ("batch", 1769, 900),
        ("batch_parquet", 3008, 900),
        ("submit", 512, 29),
        ("redrive", 512, 29),
        ("sweep", 512, 240),
        ("notify", 512, 30),
        ("hand_off", 3008, 900),
        ("collect", 3008, 900),
        ("provision", 512, 120),
    ],
)
def test_memory_and_timeout_are_said(cloud: Cloud, function: str, memory_mb: int, timeout_s: int):
    properties = cloud.functions[function]
    assert (properties["MemorySize"], properties["Timeout"]) == (memory_mb, timeout_s)


def test_every_function_runs_on_the_same_python(cloud: Cloud):
    for properties in cloud.functions.values():
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["x86_64"]
        assert properties["Handler"] == "handler.lambda_handler"


def test_every_log_is_kept_for_a_stated_time(cloud: Cloud):
    logs = cloud.of_type("AWS::Logs::LogGroup")
    named = {
        properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in cloud.functions.values()
    }
    assert len(named) == len(cloud.functions)
    assert named < set(logs)  # the API's own is the one besides
    assert all(log["RetentionInDays"] == 14 for log in logs.values())


def test_every_log_is_structured(cloud: Cloud):
    for properties in cloud.functions.values():
        assert properties["LoggingConfig"]["LogFormat"] == "JSON"
        assert properties["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "INFO"


@pytest.mark.parametrize("function", SETTINGS)
def test_the_environment_holds_every_setting_that_the_handler_reads(cloud: Cloud, function: str):
    environment = cloud.environment(function)
    wanted = SETTINGS[function]
    assert wanted.from_env(environment).to_env().items() <= environment.items()
    for variable, value in wanted.from_env(environment).to_env().items():
        name = variable.removeprefix("HEADRACE_").lower()
        if name.endswith(("_bucket", "_table")):
            assert value == name.rsplit("_", 1)[0]


def test_a_shard_is_as_large_for_whoever_plans_cuts_or_works_it(cloud: Cloud):
    told = {
        function: cloud.environment(function).get("HEADRACE_SHARD_BYTES")
        for function in cloud.functions
    }
    knowing = {"submit", "intake", "batch", "batch_parquet"}
    assert {f: size for f, size in told.items() if size} == dict.fromkeys(knowing, str(64 << 20))


def test_webhooks_may_lie_in_private_networks_only_where_the_stage_says_so(
    cloud: Cloud, full: Cloud
):
    assert STAGES["local"].private_webhooks
    assert [name for name, stage in STAGES.items() if stage.private_webhooks] == ["local"]
    assert cloud.environment("notify")["HEADRACE_PRIVATE_ADDRESSES"] == "0"
    assert full.environment("notify")["HEADRACE_PRIVATE_ADDRESSES"] == "1"


@pytest.mark.parametrize("function", SETTINGS)
def test_the_environment_names_the_function_and_starts_no_idle_threads(cloud: Cloud, function: str):
    environment = cloud.environment(function)
    assert environment["POWERTOOLS_SERVICE_NAME"] == function
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_arrow_gives_memory_back_where_parquet_is_read(cloud: Cloud):
    pools = {
        function: cloud.environment(function).get("ARROW_DEFAULT_MEMORY_POOL")
        for function in cloud.functions
    }
    reading = ("batch_parquet", "hand_off", "collect")
    assert {f: pool for f, pool in pools.items() if pool} == dict.fromkeys(reading, "system")


def test_who_works_on_gpus_reads_files_and_loads_no_model(cloud: Cloud):
    for function in ("hand_off", "collect"):
        assert sorted(cloud.layers_of(function)) == ["essentials", "files", "parquet", "runtime"]
    assert sorted(cloud.layers_of("provision")) == ["essentials", "runtime"]
