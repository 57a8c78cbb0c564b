"""A file of records → a job: sent over an address that the service signs, or copied there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from headrace import storage
from headrace.connection import Connection
from headrace.failures import ApiError
from headrace.job_records import Plan, Submitted, Written
from headrace.predicting import Reference
from headrace.row_count import counted
from headrace_runtime.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Order:
    """What a job is to do, whatever its file.

    Attributes:
        model: the model that answers every record.
        version: a version, or an alias; None for the alias `live`.
        results: whether they repeat the input (`joined`) or are `predictions` alone.
        webhook: an address that is called once the job has ended.
        idempotency_key: the same order under the same key is one job, however often it comes;
            None for a key of its own.
        deadline_s: in so many seconds the job should have ended, 1 to 604,800; None where it has
            time.
    """

    model: str
    version: Reference | None = None
    results: Written = "joined"
    webhook: str | None = None
    idempotency_key: str | None = None
    deadline_s: int | None = None

    @property
    def reference(self) -> str:
        """The model as the service names one of its versions, `digits@live`."""
        return self.model if self.version is None else f"{self.model}@{self.version}"

    @property
    def json(self) -> dict[str, Any]:
        """As `POST /jobs` takes it, beside the file."""
        plain: dict[str, Any] = {
            "model": self.reference,
            "webhook": self.webhook,
            "deadline_s": self.deadline_s,
        }
        if self.results != "joined":
            plain["results"] = self.results
        return {name: value for name, value in plain.items() if value is not None}


def submit(connection: Connection, file: str | Path, order: Order) -> Submitted:
    """Put the file into the inbox, and return the id that its job has or will have.

    Where the caller gave the key, a file that has arrived under it is not sent again.
    """
    path = Path(file)
    with path.open("rb") as content:
        ticket = _ordered(connection, order, {"file": path.name})
        known = _arrived(connection, ticket["key"]) if order.idempotency_key else None
        if known is None:
            storage.upload(ticket, content, path.name)
            known = _job_of(connection, ticket["key"])
    return Submitted(known, ticket.get("webhook_secret"))


def submit_object(
    connection: Connection, bucket: str, key: str, version_id: str | None, order: Order
) -> Submitted:
    """Let the service copy an object into the inbox, and return the id of its job."""
    named = {"bucket": bucket, "key": key, "version_id": version_id}
    given = {name: value for name, value in named.items() if value is not None}
    answer = _ordered(connection, order, {"object": given})
    return Submitted(str(answer["job_id"]), answer.get("webhook_secret"))


def plan(connection: Connection, file: str | Path, order: Order) -> Plan:
    """Return what the service expects the file to take; it is read here, and not sent.

    Raises:
        InvalidInput: it holds no record, or nothing that the service reads.
    """
    found = counted(Path(file))
    if not found.rows:
        raise InvalidInput(f"{Path(file).name} has no records: there is nothing to plan")
    asked = {
        "model": order.reference,
        "rows": found.rows,
        "size_bytes": found.size_bytes,
        "format": found.kind,
    }
    if order.deadline_s is not None:
        asked["deadline_s"] = order.deadline_s
    return Plan.from_json(connection.send("POST", "/plans", asked, repeatable=True))


def _ordered(connection: Connection, order: Order, what: Mapping[str, Any]) -> dict[str, Any]:
    # Under a key a second try after a lost answer is given the first one's.
    key = order.idempotency_key or uuid4().hex
    return connection.send(
        "POST", "/jobs", {**order.json, **what}, repeatable=True, headers={"idempotency-key": key}
    )


def _job_of(connection: Connection, key: str) -> str:
    """Return the job of a file that has arrived."""
    return str(connection.send("POST", "/jobs", {"key": key}, repeatable=True)["job_id"])


def _arrived(connection: Connection, key: str) -> str | None:
    try:
        return _job_of(connection, key)
    except ApiError as error:
        if error.status == 404:
            return None
        raise
