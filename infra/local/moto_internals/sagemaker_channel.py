"""Between moto, which keeps what SageMaker's control plane was told, and our player of it.

`GET  CHANNEL?after=N&wait_s=S` answers `{"change": M}` once more than N changes were made, or after
S seconds. `POST CHANNEL` with a report sets how far something has come:
    {"kind": "endpoint", "region", "name", "status"?, "reason"?, "config"?, "instances"?: count,
     "desired"?: count}
    {"kind": "transform", "region", "name", "status", "reason"?}
and answers `{"status"}`, what its status is now, or 404 if it is gone.

What is relied on: moto's own API finds its handlers in `moto_api._internal.urls.url_paths`; a
handler takes the request, its URL and its headers; backends are by account and region, with
`endpoints` and `transform_jobs` by name, whose attributes are what is described.
"""

import json
from threading import Condition
from typing import Any
from urllib.parse import parse_qs, urlsplit

from moto.core.utils import utcnow
from moto.moto_api._internal import urls
from moto.sagemaker.models import sagemaker_backends

CHANNEL = "/moto-api/headrace/sagemaker"
_ACCOUNT = "123456789012"
_ENDED = frozenset({"Completed", "Failed", "Stopped"})

Answer = tuple[int, dict[str, str], str]

_changed = Condition()
_changes = [0]


def open_channel() -> None:
    """Answer at CHANNEL."""
    urls.url_paths["{0}" + CHANNEL] = answer  # type: ignore[assignment]


def tell_of_a_change() -> None:
    """Wake who waits for changes."""
    with _changed:
        _changes[0] += 1
        _changed.notify_all()


def answer(request: Any, url: str, _headers: Any) -> Answer:
    """Answer a request to the channel."""
    if request.method == "GET":
        query = parse_qs(urlsplit(url).query)
        after, wait_s = int(query["after"][0]), float(query["wait_s"][0])
        with _changed:
            _changed.wait_for(lambda: _changes[0] > after, wait_s)
            return 200, {}, json.dumps({"change": _changes[0]})
    report = json.loads(request.data)
    backend = sagemaker_backends[_ACCOUNT][report["region"]]
    kept = backend.endpoints if report["kind"] == "endpoint" else backend.transform_jobs
    told = kept.get(report["name"])
    if told is None:
        return 404, {}, "{}"
    status = _APPLY[report["kind"]](told, report)
    return 200, {}, json.dumps({"status": status})


def _apply_to_endpoint(endpoint: Any, report: dict[str, Any]) -> str:
    if "status" in report:
        endpoint.endpoint_status = report["status"]
        endpoint.failure_reason = report.get("reason")
    if "config" in report:
        endpoint.endpoint_config_name = report["config"]
    for variant in endpoint.production_variants:
        variant["CurrentInstanceCount"] = report["instances"]
        variant["DesiredInstanceCount"] = report["desired"]
        for pool in variant.get("InstancePools", [])[:1]:  # the one of the highest priority
            pool["CurrentInstanceCount"] = report["instances"]
    endpoint.last_modified_time = utcnow()
    return str(endpoint.endpoint_status)


def _apply_to_transform(job: Any, report: dict[str, Any]) -> str:
    if job.transform_job_status in _ENDED:
        return str(job.transform_job_status)
    status = report["status"]
    now = job.last_modified_time = utcnow()
    if status in _ENDED:
        # Who stopped it was told that it will be stopped, even where it was about to complete.
        job.transform_job_status = "Stopped" if job.transform_job_status == "Stopping" else status
        job.failure_reason = report.get("reason")
        job.transform_end_time = now
    else:
        job.transform_start_time = now
    return str(job.transform_job_status)


_APPLY = {"endpoint": _apply_to_endpoint, "transform": _apply_to_transform}
