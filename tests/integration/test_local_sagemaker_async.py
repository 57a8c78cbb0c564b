"""Asynchronous endpoints of the local cloud, as boto3 finds them."""

import json


def test_an_invocation_wakes_the_endpoint_and_its_output_lies_where_it_was_asked(world):
    with world.playing():
        world.endpoint("one")
        told = world.queue("told", "succeeded", "failed")
        source = world.put("in/job/00001.1/00002", b"abc")

        answer = world.runtime.invoke_endpoint_async(
            EndpointName="one",
            InputLocation=source,
            ContentType="application/x;n=1024",
            Accept="application/y",
            CustomAttributes="c=1",
            InferenceId="job.00001.1.00002.1",
            S3OutputPathExtension="job/00001.1",
            Filename="00002.out",
        )

        assert answer["InferenceId"] == "job.00001.1.00002.1"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        assert answer["OutputLocation"] == "s3://work/out/job/00001.1/00002.out"
        assert answer["FailureLocation"] == "s3://work/failed/job/00001.1/00002-error.out"
        assert world.eventually(lambda: world.read(answer["OutputLocation"])) == b"cba"
        message = world.eventually(lambda: world.sqs.receive_message(QueueUrl=told).get("Messages"))
        notice = json.loads(message[0]["Body"])
        assert notice.pop("eventTime") > notice.pop("receivedTime")
        assert notice == {
            "awsRegion": "eu-west-1",
            "invocationStatus": "Completed",
            "requestParameters": {
                "accept": "application/y",
                "contentType": "application/x;n=1024",
                "endpointName": "one",
                "inputLocation": "s3://work/in/job/00001.1/00002",
            },
            "responseParameters": {
                "contentType": "application/x-backwards;n=1",
                "outputLocation": "s3://work/out/job/00001.1/00002.out",
            },
            "inferenceId": "job.00001.1.00002.1",
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        assert world.instances("one") == 1
        world.eventually(lambda: world.instances("one") == 0)
        assert world.running == 0
