"""Bodies sent to an async endpoint, which answers them into the staging bucket."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.batch.handed import BodyName, body_key, folder, output_name
from headrace_runtime.errors import HeadraceError, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


class EndpointGone(Unavailable):
    """An endpoint takes nothing at this moment; its text is a clause that says why."""


class OutputElsewhere(HeadraceError):
    """An endpoint does not put outputs where it is asked to; a clause says where."""


class AsyncEndpoint:
    """Sends bodies.

    A body that is sent twice, by a retry after an answer that was lost, is answered at the same
    place with the same bytes: there is nothing that comes into being twice.

    Args:
        ttl_s: for how long a body may wait for an instance. 60 to 21,600.
        timeout_s: of its run. 1 to 3,600.
    """

    def __init__(
        self,
        staging: StagingBucket,
        *,
        runtime: "SageMakerRuntimeClient",
        ttl_s: int,
        timeout_s: int,
    ) -> None:
        self._staging = staging
        self._runtime = runtime
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s

    @property
    def longest_s(self) -> int:
        """After so many seconds nothing that was sent is on its way any more."""
        return self._ttl_s + self._timeout_s

    def send(self, endpoint: str, name: BodyName, content_type: str) -> None:
        """Queue a body, which lies in the staging bucket.

        Raises:
            EndpointGone: SageMaker has no such endpoint, whatever was noted of it.
            OutputElsewhere: the output would lie where nobody looks for it.
        """
        place = folder(name.job_id, name.shard, name.attempt)
        try:
            lies = self._invoke(endpoint, name, place, content_type)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            raise EndpointGone(f"SageMaker has no endpoint {endpoint} in service") from error
        expected = self._staging.url(f"out/{place}/{output_name(name.body)}")
        if lies != expected:
            raise OutputElsewhere(f"SageMaker would put an output at {lies}, not at {expected}")

    def _invoke(self, endpoint: str, name: BodyName, place: str, content_type: str) -> str:
        answer = self._runtime.invoke_endpoint_async(
            EndpointName=endpoint,
            ContentType=content_type,
            InputLocation=self._staging.url(body_key(place, name.body)),
            InferenceId=name.inference_id(),
            RequestTTLSeconds=self._ttl_s,
            InvocationTimeoutSeconds=self._timeout_s,
            S3OutputPathExtension=place,
            Filename=output_name(name.body),
        )
        return answer["OutputLocation"]
