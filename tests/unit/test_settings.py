import pytest

from headrace_runtime.settings import PredictSettings
from headrace_runtime.work_settings import RegisterSettings
from tests.conftest import SETTINGS


@pytest.mark.parametrize("values", SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_come_back_from_the_environment_as_they_went(values):
    assert type(values).from_env(values.to_env()) == values


def test_a_missing_variable_is_named():
    with pytest.raises(KeyError, match="HEADRACE_MODELS_BUCKET"):
        PredictSettings.from_env({})


def test_numbers_are_read_as_numbers():
    environ = SETTINGS["register"].to_env() | {"HEADRACE_TRIAL_TIMEOUT_S": "7"}

    assert RegisterSettings.from_env(environ).trial_timeout_s == 7


def test_a_number_that_is_none_is_refused():
    environ = SETTINGS["register"].to_env() | {"HEADRACE_TRIAL_TIMEOUT_S": "soon"}

    with pytest.raises(ValueError, match="soon"):
        RegisterSettings.from_env(environ)
