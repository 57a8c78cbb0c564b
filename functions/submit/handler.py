"""The API of jobs: files taken in, jobs told of, cancelled and planned, their files given out.

Request → caller's rights → inbox, jobs or registry → answer. Nothing here reads a file of records.
Rights come before what stands anywhere: of what one may not see, nothing is told, not even by
another error.
"""

import os
import secrets
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from headrace_runtime.access.policy import Action
from headrace_runtime.access.rights import Access
from headrace_runtime.aws.idempotency import DRAW_BYTES, Drawn, Idempotency
from headrace_runtime.aws.job_door import JobDoor
from headrace_runtime.aws.job_list import JobList, model_of
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.models_bucket import SIGNED_UPLOADS
from headrace_runtime.aws.object_copies import ObjectCopies
from headrace_runtime.aws.policies import Policies
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.stage_means import means_now
from headrace_runtime.aws.submissions import Submissions
from headrace_runtime.aws.tickets import Tickets
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import model_in
from headrace_runtime.batch.job_view import job_view
from headrace_runtime.edge import jobs_api as api
from headrace_runtime.edge.failure_log import log_failure
from headrace_runtime.edge.http_api import Answer, Request, Route, json_answer, respond
from headrace_runtime.edge.plans_api import plan_answer, plan_request
from headrace_runtime.errors import JobNotFound, ObjectNotFound
from headrace_runtime.model.names import model_name
from headrace_runtime.monitoring.stdout import watch
from headrace_runtime.settings import SubmitSettings

settings = SubmitSettings.from_env(os.environ)
invocations = watch("submit", os.environ)
dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3", config=SIGNED_UPLOADS)
policies = Policies(
    settings.access_table, dynamodb=dynamodb, ttl_s=settings.policies_ttl_s, clock=time.monotonic
)
jobs = Jobs(settings.jobs_table, dynamodb=dynamodb)
shards = Shards(settings.jobs_table, dynamodb=dynamodb)
listed = JobList(settings.jobs_table, dynamodb=dynamodb)
queue = ShardQueue(
    settings.shards_queue_url,
    settings.parquet_queue_url,
    collect_url=settings.collect_queue_url,
    sqs=boto3.client("sqs"),
)
door = JobDoor(settings.inbox_bucket, Registry(settings.registry_table, dynamodb=dynamodb), s3=s3)
submissions = Submissions(
    door,
    ObjectCopies(settings.inbox_bucket, door, s3=s3),
    Tickets(settings.jobs_table, dynamodb=dynamodb),
    Idempotency(settings.jobs_table, dynamodb=dynamodb),
)


def submit(request: Request) -> Answer:
    """Take a file to come or an object that is here; or name the job of a file that has arrived."""
    asked, key = api.job_request(request.body), api.idempotency_key(request)
    if isinstance(asked, api.FileArrived):
        _check_followed(request, settings.inbox_bucket, asked.key)
        return json_answer({"job_id": door.job_of(asked.key), "key": asked.key})
    rights(request).check(Action.SUBMIT, model_name(asked.model))
    if asked.original is not None:
        _check_followed(request, asked.original.bucket, asked.original.key)
    taken = submissions.take(
        asked,
        Drawn.of(secrets.token_bytes(DRAW_BYTES)),
        principal=request.caller.principal,
        idempotency_key=key,
    )
    return json_answer(taken, 201)


def jobs_page(request: Request) -> Answer:
    """List jobs, the newest first."""
    asked, follows = api.jobs_asked(request), rights(request).follows
    page = listed.page(
        asked.wanted,
        asked.place,
        limit=asked.limit,
        today=datetime.now(UTC).date(),
        follows=follows,
    )
    return api.jobs_answer(page.jobs, page.next, asked.wanted)


def job(request: Request) -> Answer:
    """Show how far a job is."""
    return _job_answer(_seen_job(request))


def download(part: str, request: Request) -> Answer:
    """Give a presigned address of one of a job's files."""
    return json_answer(door.download(_seen_job(request), part))


def cancel(request: Request) -> Answer:
    """Let a job end early: whoever works it will see, and if nobody does, it is closed at once."""
    seen = _seen_job(request)
    rights(request).check(Action.SUBMIT, model_of(seen))
    asked = jobs.change(seen.job_id, Job.asked_to_cancel)
    if not asked.state.final:
        queue.close(asked)
    return _job_answer(asked, 200 if asked.state.final else 202)


def plan(request: Request) -> Answer:
    """Say where a job would run, why, and what it would take."""
    asked = plan_request(request.body)
    rights(request).check(Action.SUBMIT, model_name(asked.model))
    manifest = door.manifest(asked.target)
    means = means_now(settings, datetime.now(UTC), dynamodb=dynamodb)
    return plan_answer(asked, manifest, means)


def rights(request: Request) -> Access:
    """Return what the caller may do."""
    return policies.access(request.caller.subjects)


def _seen_job(request: Request) -> Job:
    found = jobs.get(request.parameters["job"])
    if not rights(request).follows(model_of(found)):
        raise JobNotFound(found.job_id)
    return found


def _check_followed(request: Request, bucket: str, key: str) -> None:
    ours = bucket in (settings.inbox_bucket, settings.results_bucket)
    if not (ours and rights(request).follows(model_in(key))):
        raise ObjectNotFound(bucket, key)


def _job_answer(found: Job, status: int = 200) -> Answer:
    progress = None if found.state.final else shards.progress(found)
    return json_answer(job_view(found, progress), status)


ROUTES: dict[str, Route] = {
    "POST /jobs": submit,
    "GET /jobs": jobs_page,
    "GET /jobs/{job}": job,
    "DELETE /jobs/{job}": cancel,
    "GET /jobs/{job}/results": partial(download, "results"),
    "GET /jobs/{job}/errors": partial(download, "errors"),
    "GET /jobs/{job}/manifest": partial(download, "manifest"),
    "GET /jobs/{job}/input": partial(download, "input"),
    "POST /plans": plan,
}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API event."""
    with invocations.begin(context.aws_request_id) as invocation:
        on_failure = partial(log_failure, ids=invocation.ids)
        return respond(event, ROUTES, invocation, on_failure=on_failure, auth=settings.auth)
