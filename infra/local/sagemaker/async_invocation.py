"""One asynchronous invocation, from its body in S3 to its outcome."""

import io
from contextlib import closing
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.sagemaker.backlog import Invocation
from infra.local.sagemaker.container_call import (
    ContainerFailed,
    ContainerTimedOut,
    invocation_headers,
    invoke_container,
)
from infra.local.sagemaker.faults import Faults
from infra.local.sagemaker.fleet import Fleet, Instance
from infra.local.sagemaker.outcomes import Outcomes
from infra.local.sagemaker.s3_location import S3Location

_MOST_BYTES = 1 << 30
_SEE_LOGS = "See the SageMaker Endpoint logs in your account for more information."


class AsyncInvocations:
    """Runs invocations.

    Args:
        second_s: how long a second of time-outs lasts.
    """

    def __init__(self, outcomes: Outcomes, faults: Faults, *, second_s: float) -> None:
        self.outcomes = outcomes
        self._faults, self._second_s = faults, second_s

    def run(self, invocation: Invocation, fleet: Fleet, instance: Instance) -> None:
        """Have an instance infer, and write and tell what became of it."""
        request, whom = invocation.request, invocation.request.inference_id
        if self._faults.meets("expire", whom):
            self.outcomes.expire(invocation)
        elif self._faults.meets("fail", whom):
            self._refuse(invocation, 500, "failed by fault")
        else:
            if self._faults.meets("crash", whom) and instance.container is not None:
                instance.container.stop()
            try:
                body, size_bytes = self._opened(request.source)
            except (ClientError, BotoCoreError) as error:
                reason = f"ClientError: Unable to download {request.source!s}: {error}"
                self.outcomes.fail(invocation, reason)
            else:
                with closing(body):
                    if size_bytes > _MOST_BYTES:
                        self.outcomes.fail(invocation, "ClientError: The input is above 1 GB.")
                    else:
                        self._infer(invocation, fleet, instance, (body, size_bytes))

    def _infer(
        self, invocation: Invocation, fleet: Fleet, instance: Instance, body: tuple[Any, int]
    ) -> None:
        request, container = invocation.request, instance.container
        try:
            answer = invoke_container(
                container.url if container else "",
                body=body[0],
                size_bytes=body[1],
                headers=invocation_headers(
                    request.content_type, request.accept, request.custom_attributes
                ),
                timeout_s=request.timeout_s * self._second_s,
            )
        except ContainerTimedOut:
            self._refuse(invocation, 0, f"no answer within {request.timeout_s} seconds")
        except ContainerFailed as error:
            if not fleet.is_closed:  # with its endpoint goes what it had in hand
                fleet.look_after(instance)
                self._refuse(invocation, 0, str(error))
        else:
            with answer.body:
                if not answer.is_ok:
                    self._refuse(invocation, answer.status, answer.text())
                elif not answer.sized:  # as SageMaker's own client, see djl-serving issue 2567
                    self._refuse(invocation, 0, "the answer has no Content-Length")
                else:
                    self.outcomes.complete(invocation, answer)

    def _refuse(self, invocation: Invocation, status: int, detail: str) -> None:
        whose = "client" if 400 <= status < 500 else "server"
        reason = f"ClientError: Received {whose} error ({status}) from model. {_SEE_LOGS}"
        self.outcomes.fail(invocation, reason, detail)

    def _opened(self, source: S3Location | bytes) -> tuple[Any, int]:
        if isinstance(source, bytes):
            return io.BytesIO(source), len(source)
        found = self.outcomes.s3.get_object(Bucket=source.bucket, Key=source.key)
        return found["Body"], int(found["ContentLength"])
