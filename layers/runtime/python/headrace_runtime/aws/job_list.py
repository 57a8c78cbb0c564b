"""Jobs, the newest first, in pages: by the index `by_day` of their table.

The index is one of DynamoDB's, so a job may be missing in it for a moment after it was made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.job_items import job_of
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import model_in
from headrace_runtime.batch.job_pages import JobFilter, Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "by_day"
DAYS = 90  # that are looked back on

_READS = 100  # of one call, some 10 ms each: enough for all days, where these hold little
_ITEMS = 200  # of one read


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, and where to go on.

    Attributes:
        next: None at the list's end; a page may be short, or empty, before that.
    """

    jobs: list[Job]
    next: Place | None


class JobList:
    """Lists jobs."""

    def __init__(self, table: str, *, dynamodb: "DynamoDBClient") -> None:
        self._table = table
        self._dynamodb = dynamodb

    def page(
        self,
        wanted: JobFilter,
        place: Place | None,
        *,
        limit: int,
        today: date,
        follows: Callable[[str], bool],
    ) -> Page:
        """Return up to *limit* jobs behind *place*, or from the newest on.

        Args:
            wanted: which jobs.
            place: as an earlier page had it in `next`.
            limit: at least 1.
            today: of now, UTC.
            follows: whether jobs of a model, empty where it is not known, may be told of.
        """
        if wanted.model is not None and not follows(wanted.model):
            return Page([], None)
        oldest = (today - timedelta(days=DAYS)).isoformat()
        place = place or Place(today.isoformat())
        found: list[Job] = []
        for _ in range(_READS):
            if place.day < oldest:
                return Page(found, None)
            items, behind = self._read(wanted, place)
            for item in items:
                job = job_of(item)
                if follows(model_of(job)):
                    found.append(job)
                if len(found) == limit:
                    return Page(found, Place(place.day, item["created"]["S"]))
            place = behind or _day_before(place)
        # The last job that was looked at may be one that the caller is not to know of.
        return Page(found, place.without_job if behind else place)

    def _read(self, wanted: JobFilter, place: Place) -> tuple[list[dict[str, Any]], Place | None]:
        """Return jobs of the place's day; and where more of that day are, if there are any."""
        conditions = {name: str(v) for name, v in _conditions(wanted).items() if v is not None}
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#day = :day AND created < :before",
            "ExpressionAttributeNames": {f"#{name}": name for name in ("day", *conditions)},
            "ExpressionAttributeValues": {
                ":day": {"S": place.day},
                ":before": {"S": place.before},
                **{f":{name}": {"S": value} for name, value in conditions.items()},
            },
            "ScanIndexForward": False,
            "Limit": _ITEMS,
        }
        if conditions:
            request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in conditions)
        answer = self._dynamodb.query(**request)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], Place(place.day, last["created"]["S"]) if last else None


def model_of(job: Job) -> str:
    """Return the model that a job is of; that of its folder where it failed for want of one."""
    return job.model or model_in(job.source.key)


def _conditions(wanted: JobFilter) -> Mapping[str, str | None]:
    return {"model": wanted.model, "state": wanted.state}


def _day_before(place: Place) -> Place:
    return Place((date.fromisoformat(place.day) - timedelta(days=1)).isoformat())
