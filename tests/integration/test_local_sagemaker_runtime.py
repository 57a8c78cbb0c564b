"""SageMaker's runtime in the local cloud: calls answered at once, and what is refused."""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.integration.sagemaker_world import World


def _invoke(world: World, body: bytes, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = world.runtime.invoke_endpoint(
        **{"EndpointName": "now", "Body": body} | asked
    )
    return answer


def _refused(call: Any, **asked: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**asked)
    return caught.value.response


def test_a_call_is_answered_by_the_container(world):
    with world.playing():
        world.endpoint("now", asynchronous=False)

        answer = _invoke(
            world, b"abc", ContentType="application/x;n=9", Accept="a/b", CustomAttributes="c=1"
        )

        assert answer["Body"].read() == b"cba"
        assert answer["ContentType"] == "application/x-backwards;n=1"
        assert answer["InvokedProductionVariant"] == "AllTraffic"
        headers = world.containers[0].headers[0]
        assert headers["content-type"] == "application/x;n=9"
        assert headers["accept"] == "a/b"
        assert headers["x-amzn-sagemaker-custom-attributes"] == "c=1"


def test_a_call_is_answered_as_a_stream_in_parts(world):
    with world.playing():
        world.endpoint("now", asynchronous=False)

        answer = world.runtime.invoke_endpoint_with_response_stream(
            EndpointName="now", Body=b"x" * 100_000, Accept="a/b"
        )

        parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
        assert [len(part) for part in parts] == [65_536, 34_464]
        assert answer["ContentType"] == "application/x-backwards;n=1"
        assert world.containers[0].headers[0]["accept"] == "a/b"


@pytest.mark.parametrize(("status", "whose"), [(400, "client"), (503, "server")])
def test_what_the_container_answers_to_in_errors_is_a_model_error(world, status, whose):
    with world.playing():
        world.endpoint("now", asynchronous=False)

        refused = _refused(
            world.runtime.invoke_endpoint, EndpointName="now", Body=f"fail {status}".encode()
        )

        assert refused["ResponseMetadata"]["HTTPStatusCode"] == 424
        assert refused["Error"]["Code"] == "ModelError"
        assert refused["Error"]["Message"].startswith(
            f'Received {whose} error ({status}) from primary with message "{{"error":"as told"}}".'
        )
        assert refused["OriginalStatusCode"] == status
        assert refused["OriginalMessage"] == '{"error":"as told"}'
        assert refused["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/now")


def test_a_call_that_takes_longer_than_a_minute_is_a_model_error(world):
    with world.playing(second_s=0.01):
        world.endpoint("now", asynchronous=False)

        refused = _refused(world.runtime.invoke_endpoint, EndpointName="now", Body=b"sleep 2")

        assert refused["Error"]["Code"] == "ModelError"
        assert refused["OriginalStatusCode"] == 0
        assert "timed out while waiting for a response" in refused["OriginalMessage"]


def test_a_body_above_six_mebibytes_is_refused(world):
    with world.playing():
        world.endpoint("now", asynchronous=False)

        assert len(_invoke(world, b"x" * 6_291_456)["Body"].read()) == 6_291_456
        refused = _refused(world.runtime.invoke_endpoint, EndpointName="now", Body=b"x" * 6_291_457)

        assert refused["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_endpoint_answers_in_one_way_only(world):
    with world.playing():
        world.endpoint("now", asynchronous=False)
        world.endpoint("later")

        at_once = _refused(world.runtime.invoke_endpoint, EndpointName="later", Body=b"abc")
        later = _refused(
            world.runtime.invoke_endpoint_async, EndpointName="now", InputLocation="s3://pool/a"
        )

        for refused in (at_once, later):
            assert refused["Error"]["Code"] == "ValidationError"
            assert refused["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert "takes InvokeEndpointAsync only" in at_once["Error"]["Message"]
        assert "takes InvokeEndpoint only" in later["Error"]["Message"]


def test_an_endpoint_that_is_not_there_or_not_in_service_is_refused(world):
    with world.playing(wake_s=30.0):
        world.endpoint("now", asynchronous=False, status="Creating")

        unknown = _refused(world.runtime.invoke_endpoint, EndpointName="none", Body=b"abc")
        creating = _refused(world.runtime.invoke_endpoint, EndpointName="now", Body=b"abc")

        assert unknown["Error"] == {
            "Code": "ValidationError",
            "Message": "Endpoint none of account 123456789012 not found.",
        }
        assert creating["Error"]["Code"] == "ValidationError"
        assert "not in service" in creating["Error"]["Message"]


def test_an_endpoint_whose_instance_comes_again_is_not_ready(world):
    with world.playing(wake_s=0.5):
        world.endpoint("now", asynchronous=False)
        world.containers[0].stop()

        gone = _refused(world.runtime.invoke_endpoint, EndpointName="now", Body=b"abc")
        coming = httpx.post(f"{world.runtime_url}/endpoints/now/invocations", content=b"abc")

        assert gone["Error"]["Code"] == "ModelError"
        assert coming.status_code == 429
        assert coming.headers["x-amzn-errortype"] == "ModelNotReadyException"
        world.eventually(lambda: world.running == 1)
        assert world.eventually(lambda: _invoke(world, b"abc"))["Body"].read() == b"cba"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({"InputLocation": "s3://pool/a"}, b"abc"),
        ({}, b"x" * 128_001),
        ({"InputLocation": "https://work.example/a"}, b""),
        ({"InputLocation": "work/a"}, b""),
        ({"Inference-Id": "x" * 65}, b"abc"),
        ({"RequestTTLSeconds": "59"}, b"abc"),
        ({"RequestTTLSeconds": "21601"}, b"abc"),
        ({"InvocationTimeoutSeconds": "0"}, b"abc"),
        ({"InvocationTimeoutSeconds": "3601"}, b"abc"),
        ({"Filename": "a.b.out"}, b"abc"),
        ({"Filename": "x" * 33}, b"abc"),
        ({"Filename": "../a"}, b"abc"),
        ({"S3OutputPathExtension": "s3://other/"}, b"abc"),
        ({"S3OutputPathExtension": "a b"}, b"abc"),
    ],
)
def test_what_is_out_of_the_limits_of_the_api_is_refused(limits_url, headers, body):
    sent = {f"X-Amzn-SageMaker-{name}": value for name, value in headers.items()}

    answer = httpx.post(f"{limits_url}/endpoints/one/async-invocations", headers=sent, content=body)

    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationError"
    assert answer.json()["Message"]


@pytest.fixture(scope="module")
def limits_url(sagemaker_world: World, tmp_path_factory: pytest.TempPathFactory):
    """The address of a runtime with an endpoint `one`."""
    sagemaker_world.begin(tmp_path_factory.mktemp("limits"))
    with sagemaker_world.playing():
        sagemaker_world.endpoint("one")
        yield sagemaker_world.runtime_url


def test_the_runtime_is_reached_from_this_machine_only(limits_url):
    assert urlsplit(limits_url).hostname == "127.0.0.1"


def test_other_paths_are_not_there(limits_url):
    assert httpx.post(f"{limits_url}/endpoints/one").status_code == 404
    assert httpx.get(f"{limits_url}/endpoints/one/invocations").status_code == 404
    assert json.loads(
        httpx.post(f"{limits_url}/endpoints/a%2Fb/invocations", content=b"a").content
    ) == {"Message": "Endpoint a/b of account 123456789012 not found."}
