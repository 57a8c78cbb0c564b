"""Models and endpoints of SageMaker: seen, made, removed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from headrace_runtime.aws.endpoint_requests import VARIANT, EndpointRequests
from headrace_runtime.aws.refusals import gone, made_once, removed_once
from headrace_runtime.batch.gpu_need import REALTIME, Need
from headrace_runtime.batch.standing import Standing

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef


class EndpointKeeper:
    """Sees, makes and removes what bears a stage's names; each as often as one likes.

    Attributes:
        requests: by which it is made.
    """

    def __init__(self, requests: EndpointRequests, *, sagemaker: "SageMakerClient") -> None:
        self.requests = requests
        self._sagemaker = sagemaker
        self._ours = f"{requests.settings.name_prefix}-"
        self._types: dict[str, str] = {}

    def models(self) -> frozenset[str]:
        """Return the names of all SageMaker models."""
        return frozenset(self._names("list_models", "Models", "ModelName"))

    def configs(self) -> frozenset[str]:
        """Return the names of all configs of endpoints."""
        return frozenset(
            self._names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName")
        )

    def endpoints(self) -> dict[str, Standing]:
        """Return all endpoints by name, as they stand."""
        standing = {}
        for name in self._names("list_endpoints", "Endpoints", "EndpointName"):
            try:
                told = self._sagemaker.describe_endpoint(EndpointName=name)
            except ClientError as error:
                if not gone(error):
                    raise
                continue
            standing[name] = Standing(
                name=name,
                status=told["EndpointStatus"],
                changed_at=told["LastModifiedTime"],
                reason=told.get("FailureReason", ""),
                instances=tuple(self._instances(told)),
            )
        return standing

    def transforming(self) -> Iterator[tuple[str, int]]:
        """Yield type and number of the instances of each transform job that runs."""
        names = self._names(
            "list_transform_jobs",
            "TransformJobSummaries",
            "TransformJobName",
            StatusEquals="InProgress",
        )
        for name in names:
            job = self._sagemaker.describe_transform_job(TransformJobName=name)
            resources = job["TransformResources"]
            yield resources["InstanceType"], resources["InstanceCount"]

    def make_model(self, name: str, need: Need) -> None:
        """Make a SageMaker model, if there is none of that name."""
        with made_once():
            self._sagemaker.create_model(**self.requests.model(name, need))

    def make_endpoint(self, name: str, need: Need) -> None:
        """Make an endpoint and its config, what there is not of them; its model is there.

        Raises:
            Unavailable: SageMaker does not see the model yet, or the config; the next time it will.
            ClientError: SageMaker will not make it.
        """
        model = name.removesuffix(REALTIME)
        request = self.requests.config(model, need, realtime=name != model)
        with made_once():
            self._sagemaker.create_endpoint_config(**request)
        with made_once():
            self._sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def put_to_sleep(self, name: str) -> None:
        """Take an endpoint's instances away, which scaling would do a quarter of an hour later."""
        with removed_once():
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=name,
                DesiredWeightsAndCapacities=[{"VariantName": VARIANT, "DesiredInstanceCount": 0}],
            )

    def remove_endpoint(self, name: str) -> None:
        """Remove an endpoint, if it is there and does not change at this moment."""
        with removed_once():
            self._sagemaker.delete_endpoint(EndpointName=name)

    def remove_config(self, name: str) -> None:
        """Remove the config of an endpoint that is gone."""
        with removed_once():
            self._sagemaker.delete_endpoint_config(EndpointConfigName=name)

    def remove_model(self, name: str) -> None:
        """Remove a SageMaker model that no endpoint has."""
        with removed_once():
            self._sagemaker.delete_model(ModelName=name)

    def _names(self, listing: Any, members: str, name: str, **only: str) -> Iterator[str]:
        pages = self._sagemaker.get_paginator(listing).paginate(NameContains=self._ours, **only)
        for page in pages:
            for one in page[members]:
                if one[name].startswith(self._ours):
                    yield one[name]

    def _instances(self, told: "DescribeEndpointOutputTypeDef") -> Iterator[tuple[str, int]]:
        for variant in told.get("ProductionVariants", []):
            pools = variant.get("InstancePools", [])
            for pool in pools:
                yield pool["InstanceType"], pool["CurrentInstanceCount"]
            count = variant.get("CurrentInstanceCount", 0)
            if count and not pools:
                yield self._type(told["EndpointConfigName"]), count

    def _type(self, config: str) -> str:
        """Return the first type that a config names, which never changes."""
        if config not in self._types:
            told = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
            variant = told["ProductionVariants"][0]
            pools = variant.get("InstancePools", [])
            self._types[config] = pools[0]["InstanceType"] if pools else variant["InstanceType"]
        return self._types[config]
