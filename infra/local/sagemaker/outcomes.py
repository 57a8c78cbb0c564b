"""What becomes of an asynchronous invocation: an object in S3, and a notice."""

import json
import logging
from datetime import UTC, datetime
from threading import Event, Timer
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.sagemaker import notices
from infra.local.sagemaker.backlog import Invocation
from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.container_call import ContainerAnswer
from infra.local.sagemaker.faults import Faults
from infra.local.sagemaker.s3_location import S3Location

_log = logging.getLogger(__name__)


class Outcomes:
    """Writes and tells, with what goes wrong on the way.

    Args:
        stopped: once it is set, nothing more is told.
    """

    def __init__(self, clients: CloudClients, faults: Faults, stopped: Event) -> None:
        self._clients, self._region = clients, clients.region
        self._faults, self._stopped = faults, stopped

    @property
    def s3(self) -> Any:
        """A client of the cloud's S3."""
        return self._clients.client("s3")

    def complete(self, invocation: Invocation, answer: ContainerAnswer) -> None:
        """Write the output and tell of it."""
        outputs = invocation.outputs
        if self._meets("late", invocation):
            self._stopped.wait(self._faults.late_s)
        try:
            self._write(invocation.output, answer.body, answer.content_type)
        except (ClientError, BotoCoreError) as error:
            self.fail(invocation, f"ClientError: Unable to write the output: {error}")
            return
        now, kind = datetime.now(UTC), answer.content_type
        notice = notices.completed(invocation, self._region, now, content_type=kind)
        self._tell(outputs.success_topic, notice)
        if self._meets("late_failure", invocation):
            reason = "InternalFailure: told of by fault."
            late = notices.failed(invocation, self._region, now, reason=reason)
            self._later(self._faults.late_s, outputs.error_topic, late)

    def fail(self, invocation: Invocation, reason: str, detail: str = "") -> None:
        """Write why there is no output, and tell of it."""
        if invocation.failure is not None:
            try:
                self._write(invocation.failure, (detail or reason).encode(), "text/plain")
            except (ClientError, BotoCoreError):
                _log.warning("could not write %s", invocation.failure, exc_info=True)
        now = datetime.now(UTC)
        notice = notices.failed(invocation, self._region, now, reason=reason)
        self._tell(invocation.outputs.error_topic, notice)

    def expire(self, invocation: Invocation) -> None:
        """Tell that a request waited for too long."""
        notice = notices.expired(invocation, self._region, datetime.now(UTC))
        self._tell(invocation.outputs.error_topic, notice)

    def _write(self, where: S3Location, body: Any, content_type: str) -> None:
        self.s3.put_object(Bucket=where.bucket, Key=where.key, Body=body, ContentType=content_type)

    def _meets(self, fault: str, invocation: Invocation) -> bool:
        return self._faults.meets(fault, invocation.request.inference_id)

    def _tell(self, topic: str | None, notice: dict[str, Any]) -> None:
        faults, whom = self._faults, notice["inferenceId"]
        if faults.meets("drop_notice", whom):
            return
        for _ in range(1 + faults.meets("double_notice", whom)):
            if faults.meets("reorder", whom):
                self._later(faults.late_s * faults.draw("delay", whom), topic, notice)
            else:
                self._publish(topic, notice)

    def _later(self, delay_s: float, topic: str | None, notice: dict[str, Any]) -> None:
        timer = Timer(delay_s, self._publish, (topic, notice))
        timer.daemon = True
        timer.start()

    def _publish(self, topic: str | None, notice: dict[str, Any]) -> None:
        if topic is None or self._stopped.is_set():
            return
        try:
            self._clients.client("sns").publish(TopicArn=topic, Message=json.dumps(notice))
        except (ClientError, BotoCoreError):
            if not self._stopped.is_set():
                _log.warning("could not tell %s", topic, exc_info=True)
