"""No call is answered that the policies do not give, and every call that they give is.

Keys, policies, models and calls are generated; each call goes through `authorise` and the handler
that answers its route. What should come back is said by an oracle that shares no code with them.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from headrace_runtime.access.api_key import DRAW_BYTES, NewKey
from headrace_runtime.access.key_facts import KeyFacts, moment
from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws import job_list
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.keys import KeyBook
from headrace_runtime.aws.policies import Policies
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.batch.job import Job, JobState
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.edge.authoriser import known
from tests import onnx_models

CALLS_EACH = 100  # of one set of policies
THERE = ("iris", "iris-eu", "iris-us", "wine", "wine-eu", "digits")
MISSING = ("iris-x", "secret")
GLOBS = ("*", "iris", "iris*", "iris-??", "*-eu", "w*", "?igits", "d*s", "*i*", "secret", "?")
BODY = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}

NEW = {
    name: NewKey.drawn(bytes([n]) * DRAW_BYTES)
    for n, name in enumerate(("shop", "lab", "eu", "expired", "revoked"))
}
SUBJECTS = {name: (f"key:{new.key_id}",) for name, new in NEW.items()}
SUBJECTS["ada"] = ("sub:ada", "claim:team=ml")  # has a token
NOBODIES = ("expired", "revoked", "wrong", "none")
CALLERS = ("shop", "lab", "eu", "ada", *NOBODIES)
NAMES = sorted(subject for subjects in SUBJECTS.values() for subject in subjects)


@dataclass(frozen=True)
class Kind:
    """One kind of call: where it goes, and what must be given for an answer.

    Attributes:
        needs: one of these on the model; empty where any action on it does.
        hides: whether who lacks it gets 404 although they see the model.
        made: answers without the model being there.
    """

    function: str
    route: str
    needs: tuple[str, ...] = ()
    status: int = 200
    body: Any = None
    parameters: dict[str, str] = field(default_factory=dict)
    hides: bool = False
    made: bool = False
    job: bool = False


JOBS = ("read", "submit")
MODEL_KINDS = {
    "infer": Kind("predict", "POST /v2/models/{model}/infer", ("infer",), body=BODY),
    "infer version": Kind(
        "predict",
        "POST /v2/models/{model}/versions/{version}/infer",
        ("infer",),
        body=BODY,
        parameters={"version": "1"},
    ),
    "bad infer": Kind("predict", "POST /v2/models/{model}/infer", ("infer",), 400, body="{"),
    "metadata": Kind("predict", "GET /v2/models/{model}"),
    "ready": Kind("predict", "GET /v2/models/{model}/ready"),
    "show": Kind("manage", "GET /models/{model}"),
    "upload": Kind("manage", "POST /models/{model}/versions", ("publish",), 201, made=True),
    "alias": Kind("manage", "GET /models/{model}/aliases/{alias}", parameters={"alias": "live"}),
    "move": Kind(
        "manage",
        "PUT /models/{model}/aliases/{alias}",
        ("promote",),
        body={"version": 1},
        parameters={"alias": "trial"},
    ),
    "submit": Kind(
        "submit", "POST /jobs", ("submit",), 201, body={"model": "<model>", "file": "a.csv"}
    ),
    "object": Kind(
        "submit",
        "POST /jobs",
        ("submit",),
        201,
        body={"model": "<model>", "object": {"bucket": "inbox", "key": "inbox/<model>/a.csv"}},
    ),
    "plan": Kind(
        "submit", "POST /plans", ("submit",), body={"model": "<model>", "rows": 1, "size_bytes": 9}
    ),
    "arrived": Kind("submit", "POST /jobs", JOBS, body={"key": "inbox/<model>/a.csv"}, hides=True),
    "job": Kind("submit", "GET /jobs/{job}", JOBS, hides=True, job=True),
    "results": Kind("submit", "GET /jobs/{job}/results", JOBS, hides=True, job=True),
    "input": Kind("submit", "GET /jobs/{job}/input", JOBS, hides=True, job=True),
}
LISTS = ("GET /v2/models", "POST /v2/repository/index", "GET /models")
ADMIN = {
    "GET /keys": "grant",
    "GET /policies": "grant",
    "PUT /policies/{policy}": "grant",
    "GET /dead-letters": "redrive",
}
OTHERS = (*LISTS, *ADMIN, "GET /jobs", "GET /v2", "GET /v2/health/live")


@dataclass
class World:
    """Handlers over one AWS, and contexts of the callers as `authorise` gave them."""

    handlers: dict[str, Any]
    contexts: dict[str, dict[str, str]]
    lambda_context: Any
    calls: int = 0

    def rule(self, policies: list[dict[str, Any]]) -> None:
        """Let these policies stand, and no others, known to every handler."""
        book = PolicyBook("access", dynamodb=boto3.client("dynamodb"))
        reader = Policies("access", dynamodb=boto3.client("dynamodb"), ttl_s=0, clock=lambda: 0)
        for policy in reader.all():
            book.delete(policy.name)
        for n, policy in enumerate(policies):
            actions = frozenset(map(Action, policy["actions"]))
            book.put(Policy(f"p{n}", tuple(policy["subjects"]), actions, tuple(policy["models"])))
        for handler in map(self.handlers.get, ("predict", "manage", "submit", "redrive")):
            handler.policies = Policies(
                "access", dynamodb=boto3.client("dynamodb"), ttl_s=3600, clock=lambda: 0
            )

    def call(self, caller: str, function: str, route: str, parameters=None, body=None):
        """Send a call; give status and body without its request's id."""
        self.calls += 1
        method, _, path = route.partition(" ")
        event = {
            "version": "2.0",
            "routeKey": route,
            "headers": {},
            "pathParameters": parameters or {},
            "body": body if isinstance(body, str) else json.dumps(body) if body else "",
            "isBase64Encoded": False,
            "requestContext": {
                "http": {"method": method, "path": path},
                "requestId": "r",
                "authorizer": {"lambda": self.contexts[caller]},
            },
        }
        answer = self.handlers[function].lambda_handler(event, self.lambda_context)
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def world(function, publish, context, aws, monkeypatch) -> World:
    monkeypatch.setattr(job_list, "DAYS", 1)  # each costs a query, and moto's take their time
    now = datetime.now(UTC)
    keys = KeyBook("access", dynamodb=boto3.client("dynamodb"))
    facts = {
        "expired": {"expires_at": moment(now - timedelta(seconds=1))},
        "revoked": {"revoked_at": moment(now)},
    }
    for name, new in NEW.items():
        keys.add(KeyFacts(new.key_id, name, new.kept, moment(now), **facts.get(name, {})))
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    for model in THERE:
        publish(model, onnx_models.linear(), onnx_models.linear_signature())
        key = f"inbox/{model}/a.csv"
        boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=b"x")
        source, target = Source("inbox", key, "v1", "e", 4), Target("results", f"{model}/")
        ended = Job(_job(model), source, target, moment(now), model, state=JobState.PARTIAL)
        jobs.create(replace(ended, content=Content(FileFormat.CSV)))
    handlers = {
        "predict": function("predict", alias_ttl_s=3600),
        "manage": function("manage"),
        "submit": function("submit"),
        "redrive": function("redrive"),
        "grant": function("grant"),
        "authorise": function("authorise"),
    }
    sent = {name: new.text for name, new in NEW.items()}
    sent |= {"wrong": NEW["shop"].text[:-8] + "wrong-it", "none": ""}
    contexts = {
        name: handlers["authorise"].lambda_handler({"headers": {"x-api-key": key}}, context)
        for name, key in sent.items()
    } | {"ada": known("sub:ada", SUBJECTS["ada"])}
    return World(handlers, {name: said["context"] for name, said in contexts.items()}, context)


def _job(model: str) -> str:
    return model.encode().hex().ljust(32, "0")


policies = st.lists(
    st.fixed_dictionaries(
        {
            "subjects": st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
            "actions": st.lists(
                st.sampled_from(sorted(Action)), min_size=1, max_size=3, unique=True
            ),
            "models": st.lists(
                st.sampled_from(GLOBS) | st.text("iris-weu*?", min_size=1, max_size=6),
                min_size=1,
                max_size=2,
            ),
        }
    ),
    max_size=6,
)
calls = st.lists(
    st.tuples(
        st.sampled_from(CALLERS),
        st.sampled_from([*MODEL_KINDS, *MODEL_KINDS, *OTHERS]),
        st.sampled_from(THERE + MISSING),
    ),
    min_size=CALLS_EACH,
    max_size=CALLS_EACH,
)


def given_to(ruling: list[dict[str, Any]], caller: str, model: str) -> set[str]:
    """Return the actions that the policies give the caller on the model."""
    return {
        action
        for policy in ruling
        if set(policy["subjects"]) & set(SUBJECTS[caller])
        and any(fnmatchcase(model, glob) for glob in policy["models"])
        for action in policy["actions"]
    }


def not_found(model: str) -> dict[str, str]:
    """Return the body that a model has which is not there."""
    error = f"model '{model}' is not registered"
    return {"error": error, "code": "MODEL_NOT_FOUND", "model": model, "request_id": "r"}


def check_model_call(world: World, ruling, caller: str, kind: Kind, model: str) -> None:
    parameters = {"model": model, "job": _job(model), **kind.parameters}
    body = kind.body
    if isinstance(body, dict):
        body = json.loads(json.dumps(body).replace("<model>", model))
    status, said = world.call(caller, kind.function, kind.route, parameters, body)
    if caller in NOBODIES:
        assert (status, said["code"]) == (401, "UNAUTHENTICATED")
        return
    has = given_to(ruling, caller, model)
    allowed = has & set(kind.needs) if kind.needs else has
    if allowed and (model in THERE or kind.made):
        assert status == kind.status
    elif has and not allowed and not kind.hides:
        assert (status, said["code"]) == (403, "FORBIDDEN")
    elif kind.hides:
        assert (status, said["code"]) == (404, "JOB_NOT_FOUND" if kind.job else "OBJECT_NOT_FOUND")
    else:
        assert (status, said) == (404, not_found(model))


def check_other_call(world: World, ruling, caller: str, route: str) -> None:
    function = "predict" if "/v2" in route else ADMIN.get(route, "manage")
    function = "submit" if route == "GET /jobs" else function
    scratch = {"subjects": ["sub:nobody"], "actions": ["infer"], "models": ["*"]}
    body = scratch if route.startswith("PUT") else None
    status, said = world.call(caller, function, route, {"policy": "scratch"}, body)
    if route == "GET /v2/health/live":
        assert status == 200
    elif caller in NOBODIES:
        assert (status, said["code"]) == (401, "UNAUTHENTICATED")
    elif route in LISTS:
        listed = said if isinstance(said, list) else said["models"]
        names = [entry["name"] if isinstance(entry, dict) else entry for entry in listed]
        assert names == [model for model in sorted(THERE) if given_to(ruling, caller, model)]
    elif route == "GET /jobs":
        followed = [model for model in THERE if given_to(ruling, caller, model) & set(JOBS)]
        assert sorted(job["model"] for job in said["jobs"]) == sorted(followed)
    elif route in ADMIN:
        rules = any(
            set(policy["subjects"]) & set(SUBJECTS[caller])
            and "admin" in policy["actions"]
            and "*" in policy["models"]
            for policy in ruling
        )
        assert (status, said.get("code")) == ((200, None) if rules else (403, "FORBIDDEN"))
    else:
        assert status == 200


def check_calls(world: World, examples: int, *, derandomize: bool) -> None:
    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a hundred calls do not get much shorter
        suppress_health_check=list(HealthCheck),
    )
    @given(policies, calls)
    def check(ruling, sent):
        world.rule(ruling)
        for caller, what, model in sent:
            if what in MODEL_KINDS:
                check_model_call(world, ruling, caller, MODEL_KINDS[what], model)
            else:
                check_other_call(world, ruling, caller, what)

    check()
    assert world.calls >= examples * CALLS_EACH


def test_no_call_is_answered_that_no_policy_gives_and_every_other_is(world):
    check_calls(world, 50, derandomize=True)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_no_call_of_very_many_is_answered_that_no_policy_gives(world):
    check_calls(world, 500, derandomize=False)
