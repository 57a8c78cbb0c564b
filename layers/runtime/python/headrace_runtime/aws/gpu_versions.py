"""Which versions need something of SageMaker now: by the registry, and by the jobs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace_runtime.aws.job_items import UNFINISHED, job_of
from headrace_runtime.aws.registry import Registry
from headrace_runtime.batch.gpu_need import Need, Version, needs
from headrace_runtime.batch.job import Job
from headrace_runtime.errors import NotFound
from headrace_runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class GpuVersions:
    """Finds them.

    Args:
        registry: has models, their aliases and manifests.
        jobs_table: has jobs, and the index `unfinished`.
    """

    def __init__(self, registry: Registry, jobs_table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._registry = registry
        self._jobs_table = jobs_table
        self._dynamodb = dynamodb
        self._manifests: dict[Version, Manifest] = {}

    def needs(self, models: list[str]) -> dict[Version, Need]:
        """Return what each version needs, those first that jobs wait for.

        Args:
            models: all that there are.
        """
        aliases = {model: self._registry.aliases(model) for model in models}
        return needs(aliases, self._unfinished(), self._manifest)

    def need(self, model: str, version: int) -> Need | None:
        """Return what one version needs at this moment; None where nothing."""
        return self.needs([model]).get((model, version))

    def _unfinished(self) -> Iterator[Job]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._jobs_table,
            IndexName="unfinished",
            KeyConditionExpression="unfinished = :yes",
            ExpressionAttributeValues={":yes": {"S": UNFINISHED}},
        )
        for page in pages:
            yield from map(job_of, page["Items"])

    def _manifest(self, model: str, version: int) -> Manifest | None:
        """Return a version's facts, which never change and are read once."""
        if (model, version) not in self._manifests:
            try:
                self._manifests[model, version] = self._registry.manifest(model, version)
            except NotFound:
                return None
        return self._manifests[model, version]
