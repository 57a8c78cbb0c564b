"""The cloud of the chaos with the way over SageMaker."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from headrace_runtime.model.acceleration import Acceleration, Accelerator
from tests import onnx_models, worlds
from tests.chaos.cloud import Cloud, served, settings_of, told_of_ends, work_queue
from tests.chaos.gpu_sagemaker import SageMaker, listening
from tests.integration.gpu_door import GPU, open_endpoint, published

FUNCTIONS = ("intake", "batch", "batch_parquet", "hand_off", "collect", "sweep")
_QUEUES = ("files", "shards", "parquet", "hand_off", "collect")
_SHARD_BYTES = 1500
_ROWS_AT_ONCE = 50  # of a body
_RECEIVES = 5  # as on AWS: what becomes a dead letter is found by the sweeper


@contextmanager
def gpu_cloud(patch: Any, *, patience_s: int, seed: int) -> Iterator[tuple[Cloud, SageMaker]]:
    """Give a cloud with the models `linear`, for GPUs, and `twin`, the same for Lambda.

    Args:
        patch: sets this process's environment.
        patience_s: the sweeper's.
        seed: of SageMaker's fates.
    """
    with served(patch) as environment:
        worlds.make()
        signature = onnx_models.linear_signature()
        patch.setattr("tests.integration.gpu_door.ROWS_AT_ONCE", _ROWS_AT_ONCE)
        played = published("linear", onnx_models.linear(), signature, listening=False)
        never = Acceleration(Accelerator.NEVER)
        worlds.publish("twin", onnx_models.linear(), signature, acceleration=never)
        made = [work_queue(name, receives=_RECEIVES) for name in _QUEUES]
        urls = dict(zip(_QUEUES, [url for url, _ in made], strict=True))
        sagemaker = SageMaker(urls["collect"], signature, seed)
        open_endpoint(played.manifest, "creating")
        with listening(sagemaker):
            environment |= {
                "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url,
                "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": sagemaker.url,
            }
            dead = tuple(url for _, url in made)
            environments = {
                name: _environment(name, urls, patience_s) | environment for name in FUNCTIONS
            }
            ended = told_of_ends()
            told_of_ends("collect", {"engine": [{"prefix": "sagemaker-"}]})
            yield Cloud(ended=ended, dead=dead, environment=environments, **urls), sagemaker


def open_the_endpoint() -> None:
    """Let the endpoint be ready that is being made."""
    item = boto3.client("dynamodb").get_item(
        TableName="registry",
        Key={"pk": {"S": "MODEL#linear"}, "sk": {"S": f"ENDPOINT#{1:09}"}},
    )["Item"]
    item["asynchronous"]["M"]["state"] = {"S": "ready"}
    boto3.client("dynamodb").put_item(TableName="registry", Item=item)


def _environment(function: str, urls: dict[str, str], patience_s: int) -> dict[str, str]:
    own = urls["parquet" if function == "batch_parquet" else "shards"]
    changed = {f"{name}_queue_url": url for name, url in urls.items()} | GPU
    return settings_of(
        function,
        changed
        | {
            "queue_url": own,
            "shard_bytes": _SHARD_BYTES,
            "batch_rows": 256,
            "patience_s": patience_s,
            "endpoint_wait_s": 30,
        },
    )
