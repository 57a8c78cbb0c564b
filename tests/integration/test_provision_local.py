"""What `provision` makes is what the local SageMaker plays: pools, waking, scaling to none."""

from datetime import timedelta

import pytest

from headrace_runtime.batch.endpoint_plan import Act
from headrace_runtime.model.endpoint import EndpointState
from tests.integration.endpoint_world import World as Stage
from tests.integration.endpoint_world import asynchronous, move, publish, registered, standing
from tests.integration.sagemaker_world import World
from tests.worlds import make


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage with two instance types, and two versions that may run on them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.sagemaker.meta.endpoint_url)
    make()
    publish(versions=2)
    return Stage(gpu_instance_types="ml.g6.xlarge,ml.g5.xlarge", staging_bucket="pool")


def test_an_endpoint_comes_sleeps_wakes_answers_and_goes(stage: Stage, world: World) -> None:
    with world.playing(idle_s=0.3):
        stage.run()
        name = asynchronous().name
        world.eventually(lambda: stage.run() and asynchronous().ready)
        world.eventually(lambda: world.instances(name) == 0)

        answer = world.runtime.invoke_endpoint_async(
            EndpointName=name, InputLocation=world.put("in/one", b"abc")
        )

        assert world.eventually(lambda: world.read(answer["OutputLocation"])) == b"cba"
        move(2)
        stage.run()
        stage.now += timedelta(minutes=31)
        world.eventually(lambda: stage.run() and registered(1) is None)
        assert name not in standing()["endpoints"]
        assert stage.errors == []


def test_an_endpoint_that_does_not_come_up_has_failed_with_sagemakers_words(
    stage: Stage, world: World
) -> None:
    for there in world.s3.list_objects_v2(Bucket="models", Prefix="artifacts/")["Contents"]:
        world.s3.delete_object(Bucket="models", Key=there["Key"])
    with world.playing():
        world.eventually(lambda: stage.run().failed)

        assert asynchronous().state is EndpointState.FAILED
        assert "model" in asynchronous().reason
        stage.now += timedelta(minutes=16)
        assert Act.REMOVE_ENDPOINT in stage.run().done
        assert stage.errors == []
