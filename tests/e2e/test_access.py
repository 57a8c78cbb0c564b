"""Who may call what, in a running cloud: keys and policies made, used and taken back."""

import time

import httpx
import pytest
from click.testing import CliRunner

from headrace import ApiError, Client
from headrace.command_line import main
from tests import onnx_models


@pytest.fixture(scope="module")
def admin(cloud):
    with Client(cloud.url, api_key=cloud.api_key) as admin:
        for model in ("doors-iris", "doors-wine"):
            admin.publish(onnx_models.linear(), model)
        yield admin


@pytest.fixture
def headrace(cloud, monkeypatch):
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)

    def run(*words):
        ended = CliRunner().invoke(main, words)
        assert ended.exit_code == 0, ended.output
        return ended.stdout.strip()

    return run


def _get(cloud, path, **headers):
    return httpx.get(
        cloud.url + path, headers={name.replace("_", "-"): h for name, h in headers.items()}
    )


def test_a_key_does_what_its_policy_gives_and_nothing_once_it_is_revoked(cloud, admin, headrace):
    text = headrace("keys", "create", "doors")
    key_id = text[3:19]
    put = ["policies", "put", "doors", "--subject", f"key:{key_id}"]
    headrace(*put, "--action", "infer", "--model", "doors-i*")
    time.sleep(5.1)  # within which policies take effect

    with Client(cloud.url, api_key=text, retries=0) as caller:
        assert [model.name for model in caller.models()] == ["doors-iris"]
        assert caller.predict("doors-iris", [[1, 0, 0, 0]])["y"].shape == (1, 3)
        with pytest.raises(ApiError, match="model 'doors-wine' is not registered") as unseen:
            caller.predict("doors-wine", [[1, 0, 0, 0]])
        with pytest.raises(ApiError, match="no policy gives you the right 'promote'") as seen:
            caller.move_alias("doors-iris", "live", 1)
        with pytest.raises(ApiError, match="no policy gives you the right 'admin'"):
            caller.keys.list()
        headrace("keys", "revoke", key_id)
        with pytest.raises(ApiError) as revoked:
            caller.models()

    assert (unseen.value.status, seen.value.status, revoked.value.status) == (404, 403, 401)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"x_api_key": f"hr_{'a' * 16}_{'a' * 43}"},
        {"authorization": "Basic YTpi"},
    ],
    ids=["none", "wrong", "unknown", "basic"],
)
@pytest.mark.parametrize("path", ["/v2/models/doors-iris", "/models", "/keys", "/v2", "/nowhere"])
def test_without_a_good_key_every_route_answers_the_same(cloud, admin, path, headers):
    answer = _get(cloud, path, **headers)

    said = answer.json()
    del said["request_id"]
    assert (answer.status_code, said) == (
        401,
        {
            "error": "a valid credential is needed: send `Authorization: Bearer <API key>`",
            "code": "UNAUTHENTICATED",
        },
    )


def test_health_is_for_everybody(cloud):
    assert _get(cloud, "/v2/health/live").status_code == 200
    assert _get(cloud, "/v2/health/ready").status_code == 200


def test_a_key_that_has_used_up_its_day_is_told_when_to_come_back(cloud, admin):
    key = admin.keys.create("twice a day", daily_quota=2)

    codes = [_get(cloud, "/v2", x_api_key=key.text).status_code for _ in range(2)]
    third = _get(cloud, "/v2", x_api_key=key.text)

    assert codes == [200, 200]
    assert (third.status_code, third.json()["code"]) == (429, "QUOTA_EXCEEDED")
    assert 1 <= int(third.headers["retry-after"]) <= 86_400
    assert int(third.headers["retry-after"]) == third.json()["retry_after_s"]
