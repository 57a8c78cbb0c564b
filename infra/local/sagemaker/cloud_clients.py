"""Clients of the cloud for threads of our own."""

from threading import Lock
from typing import Any

import boto3
from botocore.config import Config


class CloudClients:
    """Makes a client when it is first needed: to read SageMaker's API takes a tenth of a second.

    Args:
        url: moto's.
        region: of everything.
    """

    def __init__(self, url: str, region: str) -> None:
        self.url, self.region = url, region
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        self._lock = Lock()  # a session is not to be used by two threads at once

    def client(self, service: str) -> Any:
        """Return the one client of a service."""
        with self._lock:
            if self._session is None:
                self._session = boto3.Session(region_name=self.region)
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.url, config=_CONFIG
                )
            return self._clients[service]


# What is sent from here to here needs no checksum, and what fails fails for good.
_CONFIG = Config(
    retries={"total_max_attempts": 2},
    max_pool_connections=50,
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
