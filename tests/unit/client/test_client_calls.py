import time

import pytest

from headrace import ApiError, Client, InvalidInput, Unreachable

MODELS = {"models": [{"name": "digits", "latest": 2}]}


def test_models_are_listed(service, client):
    service.answers("GET /models", MODELS)

    (model,) = client.models()

    assert (model.name, model.latest) == ("digits", 2)


def test_the_key_is_sent_as_bearer_token(service):
    service.answers("GET /models", MODELS)

    with Client(service.url, "s3cret") as client:
        client.models()

    assert service.calls[0].headers["authorization"] == "Bearer s3cret"


def test_url_and_key_come_from_the_environment(service, monkeypatch):
    service.answers("GET /models", MODELS)
    monkeypatch.setenv("HEADRACE_URL", service.url)
    monkeypatch.setenv("HEADRACE_API_KEY", "s3cret")

    with Client() as client:
        client.models()

    assert service.calls[0].headers["authorization"] == "Bearer s3cret"


def test_the_key_of_the_environment_goes_to_no_other_service(service, monkeypatch):
    service.answers("GET /models", MODELS)
    monkeypatch.setenv("HEADRACE_API_KEY", "s3cret")

    with Client(service.url) as client:
        client.models()

    assert "authorization" not in service.calls[0].headers


def test_without_a_url_there_is_no_client(monkeypatch):
    monkeypatch.delenv("HEADRACE_URL", raising=False)

    with pytest.raises(InvalidInput, match="set HEADRACE_URL"):
        Client()
    with pytest.raises(InvalidInput, match="begins with https"):
        Client("127.0.0.1:8080")


def test_a_path_in_the_url_is_kept(service):
    service.answers("GET /prod/models", MODELS)

    with Client(f"{service.url}/prod") as client:
        assert len(client.models()) == 1


def test_an_error_is_the_sentence_of_the_service(service, client):
    service.answers(
        "GET /models/nope",
        {
            "error": "model 'nope' is not registered",
            "code": "MODEL_NOT_FOUND",
            "model": "nope",
            "request_id": "r-1",
        },
        status=404,
    )

    with pytest.raises(ApiError) as raised:
        client.model("nope")

    error = raised.value
    assert str(error) == error.sentence == "model 'nope' is not registered"
    assert (error.status, error.code, error.request_id) == (404, "MODEL_NOT_FOUND", "r-1")
    assert error.facts == {"model": "nope"}


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (413, b'{"message": "Request Too Long"}', "Request Too Long: send fewer records"),
        (413, b"HTTP content length exceeded 10485760 bytes.", "HTTP content length exceeded"),
        (500, b'{"message": "Internal Server Error"}', "Internal Server Error"),
        (502, b"", "the service answered 502 Bad Gateway and no word more"),
        (400, b"[1]", "the service answered 400 Bad Request and no word more"),
    ],
)
def test_an_error_that_the_gateway_made_is_read_too(service, client, status, body, sentence):
    service.answers("GET /models", status=status, body=body)

    with pytest.raises(ApiError, match=sentence) as raised:
        client.models()

    assert (raised.value.status, raised.value.code) == (status, f"HTTP_{status}")


def test_an_answer_of_something_else_is_no_success(service, client):
    service.answers("GET /models", body=b"<html>It works!</html>")

    with pytest.raises(ApiError, match="is it the URL of a Headrace service"):
        client.models()


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again(service, client, status):
    service.answers("GET /models", {"message": "later"}, status=status)
    service.answers("GET /models", MODELS)

    assert len(client.models()) == 1
    assert service.asked() == ["GET /models", "GET /models"]


def test_a_short_wait_that_the_service_asks_for_is_kept(service, client):
    service.answers("GET /models", {"error": "later"}, status=429, retry_after="1")
    service.answers("GET /models", MODELS)
    began = time.monotonic()

    assert len(client.models()) == 1

    assert 1 <= time.monotonic() - began < 2


def test_a_used_up_day_is_told_at_once(service, client):
    said = {"error": "the calls that this key has each day are used up", "retry_after_s": 3600}
    service.answers("GET /models", said, status=429, retry_after="3600")

    with pytest.raises(ApiError, match="each day are used up") as raised:
        client.models()

    assert raised.value.facts == {"retry_after_s": 3600}
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(401, "UNAUTHENTICATED"), (403, "FORBIDDEN")], ids=["401", "403"]
)
def test_who_is_not_let_in_is_told_so_at_once(service, client, status, code):
    service.answers("GET /models", {"error": "not you", "code": code}, status=status)

    with pytest.raises(ApiError, match="not you") as raised:
        client.models()

    assert (raised.value.status, raised.value.code) == (status, code)
    assert len(service.calls) == 1


def test_a_broken_connection_is_tried_again(service, client):
    service.hangs_up("GET /models")
    service.answers("GET /models", MODELS)

    assert len(client.models()) == 1


def test_a_service_that_stays_busy_is_given_up(service, client):
    service.answers("GET /models", {"error": "the registry does not answer"}, status=503)

    with pytest.raises(ApiError, match="the registry does not answer"):
        client.models()

    assert len(service.calls) == 3


def test_no_other_error_is_tried_again(service, client):
    service.answers("GET /models", {"error": "the fault is not yours"}, status=500)

    with pytest.raises(ApiError):
        client.models()

    assert len(service.calls) == 1


def test_a_move_that_names_its_revision_is_made_once(service, client):
    service.answers("PUT /models/digits/aliases/live", {"message": "later"}, status=503)

    with pytest.raises(ApiError):
        client.move_alias("digits", "live", 2, revision=1)

    assert len(service.calls) == 1
    assert service.calls[0].json == {"version": 2, "revision": 1}


def test_a_service_that_is_not_there_is_unreachable():
    began = time.monotonic()

    with (
        Client("http://127.0.0.1:9", retries=1) as client,
        pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9/? gave no answer"),
    ):
        client.models()

    assert time.monotonic() - began < 5


def test_a_service_that_is_silent_is_not_asked_twice(service):
    service.answer = lambda call: (service.calls.append(call), time.sleep(0.5), (200, b"{}", {}))[2]

    with Client(service.url, timeout_s=0.1) as client, pytest.raises(Unreachable):
        client.models()

    assert len(service.calls) == 1


def test_a_name_is_no_way_into_another_path(service, client):
    with pytest.raises(ApiError):
        client.model("../v2/models?x")

    assert service.asked() == ["GET /models/..%2Fv2%2Fmodels%3Fx"]
