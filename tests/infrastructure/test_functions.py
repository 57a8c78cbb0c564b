"""Every function is made by the one recipe."""

import pytest

from headrace_runtime import settings
from tests.infrastructure.cloud import ROOT, Cloud

SETTINGS = {
    "predict": settings.PredictSettings,
    "manage": settings.ManageSettings,
    "observe": settings.ObserveSettings,
    "register": settings.RegisterSettings,
    "intake": settings.IntakeSettings,
    "batch": settings.BatchSettings,
    "authorise": settings.AuthoriseSettings,
    "grant": settings.GrantSettings,
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
        ("intake", 512, 60),
        ("batch", 1769, 900),
    ],
)
def test_memory_and_timeout_are_said(cloud: Cloud, function: str, memory_mb: int, timeout_s: int):
    properties = cloud.functions[function]
    assert (properties["MemorySize"], properties["Timeout"]) == (memory_mb, timeout_s)


def test_every_function_runs_on_the_same_python_and_stops_when_it_wakes_itself(cloud: Cloud):
    for properties in cloud.functions.values():
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["x86_64"]
        assert properties["Handler"] == "handler.lambda_handler"
        assert properties["RecursiveLoop"] == "Terminate"


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


@pytest.mark.parametrize("function", SETTINGS)
def test_the_environment_names_the_function_and_starts_no_idle_threads(cloud: Cloud, function: str):
    environment = cloud.environment(function)
    assert environment["POWERTOOLS_SERVICE_NAME"] == function
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
