"""Asynchronous endpoints of the local cloud, as boto3 finds them."""

import json
import time
from typing import Any

from infra.local.sagemaker.faults import Faults
from tests.integration.sagemaker_world import World

SEE_LOGS = "See the SageMaker Endpoint logs in your account for more information."


def _invoke(world: World, body: bytes, inference_id: str = "id-1", **asked: Any) -> dict[str, Any]:
    source = world.put(f"in/{inference_id}", body)
    answer: dict[str, Any] = world.runtime.invoke_endpoint_async(
        **{"EndpointName": "one", "InputLocation": source, "InferenceId": inference_id} | asked
    )
    return answer


def _notices(world: World, url: str, count: int = 1) -> list[dict[str, Any]]:
    """Return that many notices, once they have come; fail if more have."""
    found: list[dict[str, Any]] = []

    def receive() -> bool:
        received = world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in received.get("Messages", []):
            found.append(json.loads(message["Body"]))
            world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    world.eventually(receive)
    assert len(found) == count
    return found


def test_an_invocation_wakes_the_endpoint_and_its_output_lies_where_it_was_asked(world):
    with world.playing():
        world.endpoint("one")
        told = world.queue("told", "succeeded", "failed")

        answer = _invoke(
            world,
            b"abc",
            "job.00001.1.00002.1",
            ContentType="application/x;n=1024",
            Accept="application/y",
            CustomAttributes="c=1",
            S3OutputPathExtension="job/00001.1",
            Filename="00002.out",
        )

        assert answer["InferenceId"] == "job.00001.1.00002.1"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        assert answer["OutputLocation"] == "s3://pool/out/job/00001.1/00002.out"
        assert answer["FailureLocation"] == "s3://pool/failed/job/00001.1/00002-error.out"
        (notice,) = _notices(world, told)
        assert notice.pop("eventTime") > notice.pop("receivedTime")
        assert notice == {
            "awsRegion": "eu-west-1",
            "invocationStatus": "Completed",
            "requestParameters": {
                "accept": "application/y",
                "contentType": "application/x;n=1024",
                "endpointName": "one",
                "inputLocation": "s3://pool/in/job.00001.1.00002.1",
            },
            "responseParameters": {
                "contentType": "application/x-backwards;n=1",
                "outputLocation": "s3://pool/out/job/00001.1/00002.out",
            },
            "inferenceId": "job.00001.1.00002.1",
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        output = world.s3.get_object(Bucket="pool", Key="out/job/00001.1/00002.out")
        assert output["ContentType"] == "application/x-backwards;n=1"
        assert output["Body"].read() == b"cba"
        headers = world.containers[0].headers[0]
        assert headers["content-type"] == "application/x;n=1024"
        assert headers["accept"] == "application/y"
        assert headers["x-amzn-sagemaker-custom-attributes"] == "c=1"


def test_an_endpoint_without_work_has_no_instance(world):
    with world.playing(idle_s=0.3):
        world.endpoint("one")
        assert world.instances("one") == 0

        answer = _invoke(world, b"abc")

        world.eventually(lambda: world.instances("one") == 1)
        assert world.eventually(lambda: world.read(answer["OutputLocation"])) == b"cba"
        world.eventually(lambda: world.instances("one") == 0)
        assert world.running == 0


def test_an_endpoint_without_the_waking_policy_does_not_wake_and_requests_expire(world):
    with world.playing(second_s=0.01):
        world.endpoint("one", wakes=False)
        told = world.queue("told", "failed")

        _invoke(world, b"abc", RequestTTLSeconds=60)

        (notice,) = _notices(world, told)
        assert notice["invocationStatus"] == "Expired"
        assert notice["inferenceId"] == "id-1"
        assert "responseParameters" not in notice
        assert world.containers == []


def test_what_the_container_answers_to_in_errors_has_failed(world):
    with world.playing():
        world.endpoint("one")
        told = world.queue("told", "succeeded", "failed")

        answer = _invoke(world, b"fail 400")

        (notice,) = _notices(world, told)
        assert notice["invocationStatus"] == "Failed"
        assert (
            notice["failureReason"]
            == f"ClientError: Received client error (400) from model. {SEE_LOGS}"
        )
        assert "responseParameters" not in notice
        assert world.read(answer["FailureLocation"]) == b'{"error":"as told"}'
        assert world.read(answer["OutputLocation"]) is None


def test_an_invocation_that_takes_too_long_has_failed(world):
    with world.playing(second_s=0.2):
        world.endpoint("one")
        told = world.queue("told", "succeeded", "failed")

        answer = _invoke(world, b"sleep 3", InvocationTimeoutSeconds=1)

        (notice,) = _notices(world, told)
        assert notice["failureReason"].startswith("ClientError: Received server error (0)")
        assert world.read(answer["FailureLocation"]) == b"no answer within 1 seconds"


def test_an_input_that_is_not_there_has_failed(world):
    with world.playing():
        world.endpoint("one")
        told = world.queue("told", "failed")

        _invoke(world, b"", InputLocation="s3://pool/in/none")

        (notice,) = _notices(world, told)
        assert notice["failureReason"].startswith(
            "ClientError: Unable to download s3://pool/in/none: "
        )


def test_an_answer_in_chunks_has_failed_as_on_sagemaker(world):
    with world.playing():
        world.endpoint("one")
        told = world.queue("told", "failed")

        answer = _invoke(world, b"chunked")

        assert _notices(world, told)[0]["invocationStatus"] == "Failed"
        assert world.read(answer["FailureLocation"]) == b"the answer has no Content-Length"


def test_a_body_can_come_with_the_call(world):
    with world.playing():
        world.endpoint("one")

        answer = world.runtime.invoke_endpoint_async(EndpointName="one", Body=b"abc")

        assert len(answer["InferenceId"]) == 36
        assert answer["OutputLocation"] == f"s3://pool/out/{answer['InferenceId']}.out"
        assert world.eventually(lambda: world.read(answer["OutputLocation"])) == b"cba"


def test_an_instance_takes_as_many_requests_at_once_as_its_config_says(world):
    with world.playing():
        world.endpoint("one", concurrent=3, most=1)
        told = world.queue("told", "succeeded")

        for number in range(7):
            _invoke(world, b"sleep 0.2", f"id-{number}")

        notices = _notices(world, told, 7)
        assert {notice["inferenceId"] for notice in notices} == {f"id-{n}" for n in range(7)}
        assert [one.most_at_once for one in world.containers] == [3]


def test_a_container_that_goes_fails_what_it_had_in_hand_and_is_replaced(world):
    faults = Faults({"crash": 0.5}, seed=13)  # by which the second crashes it, and the third
    with world.playing(idle_s=30, faults=faults):
        world.endpoint("one", concurrent=1, most=1)
        told = world.queue("told", "succeeded", "failed")

        for number in range(4):
            _invoke(world, b"abc", f"id-{number}")

        outcomes = {
            notice["inferenceId"]: notice["invocationStatus"] for notice in _notices(world, told, 4)
        }
        assert outcomes == {
            "id-0": "Completed",
            "id-1": "Failed",
            "id-2": "Failed",
            "id-3": "Completed",
        }
        assert len(world.containers) == 3
        assert world.running == 1


def test_what_goes_wrong_goes_wrong_by_inference_id(world):
    faults = Faults.parse(
        "drop_notice=0.3,double_notice=0.3,fail=0.3,expire=0.1,late_failure=0.2,reorder=0.3,"
        "late=0.2,late_s=0.2,seed=7"
    )
    ids = [f"id-{number}" for number in range(12)]
    expected: list[tuple[str, str]] = []
    for one in ids:
        completes = not faults.meets("expire", one) and not faults.meets("fail", one)
        status = "Completed" if completes else "Failed"
        status = "Expired" if faults.meets("expire", one) else status
        if not faults.meets("drop_notice", one):
            expected += [(one, status)] * (1 + faults.meets("double_notice", one))
        if completes and faults.meets("late_failure", one):
            expected.append((one, "Failed"))
    with world.playing(faults=faults):
        world.endpoint("one", concurrent=4, most=1)
        told = world.queue("told", "succeeded", "failed")

        answers = [_invoke(world, b"abc", one) for one in ids]

        notices = _notices(world, told, len(expected))
        time.sleep(0.1)
        found = [(notice["inferenceId"], notice["invocationStatus"]) for notice in notices]
        assert sorted(found) == sorted(expected)
        done = [one["InferenceId"] for one in answers if world.read(one["OutputLocation"])]
        assert done == [
            one for one in ids if not faults.meets("expire", one) and not faults.meets("fail", one)
        ]


def test_a_deleted_endpoint_ends_its_containers_and_tells_nothing_of_what_they_had_in_hand(world):
    with world.playing():
        world.endpoint("one")
        told = world.queue("told", "succeeded", "failed")
        _invoke(world, b"sleep 5")
        world.eventually(lambda: world.bodies == [b"sleep 5"])

        world.sagemaker.delete_endpoint(EndpointName="one")

        world.eventually(lambda: world.running == 0)
        received = world.sqs.receive_message(QueueUrl=told, WaitTimeSeconds=1)
        assert "Messages" not in received


def test_a_player_that_comes_again_takes_up_what_stands(world):
    with world.playing():
        world.endpoint("one")
    assert world.running == 0

    with world.playing():
        world.model("two")  # which it has no part in
        answer = _invoke(world, b"abc")

        assert world.eventually(lambda: world.read(answer["OutputLocation"])) == b"cba"
