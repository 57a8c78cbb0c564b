"""The routes of the HTTP API, by the function that answers them."""

from collections.abc import Mapping, Sequence

# Open to anyone: whether the service stands at all. Every other route is behind a door.
OPEN = frozenset({"GET /v2/health/live", "GET /v2/health/ready"})

# Where pages of other origins may call. API Gateway answers a page that asks beforehand by itself,
# but behind the authorisation of the route that the question matches, and a browser asks without
# a credential. This one matches before `$default`; whoever else sends OPTIONS is nobody there.
PREFLIGHTS = "OPTIONS /{proxy+}"

# API Gateway itself matches them, and hands the route's text to the handler.
ROUTES: Mapping[str, Sequence[str]] = {
    "predict": (
        "GET /v2",
        "GET /v2/health/live",
        "GET /v2/health/ready",
        "GET /v2/models",
        "GET /v2/models/{model}",
        "GET /v2/models/{model}/ready",
        "POST /v2/models/{model}/infer",
        "GET /v2/models/{model}/versions/{version}",
        "GET /v2/models/{model}/versions/{version}/ready",
        "POST /v2/models/{model}/versions/{version}/infer",
        "POST /v2/repository/index",
        "$default",
    ),
    "manage": (
        "GET /models",
        "GET /models/{model}",
        "POST /models/{model}/versions",
        "GET /models/{model}/aliases/{alias}",
        "PUT /models/{model}/aliases/{alias}",
    ),
    "submit": (
        "POST /jobs",
        "GET /jobs",
        "GET /jobs/{job}",
        "DELETE /jobs/{job}",
        "GET /jobs/{job}/results",
        "GET /jobs/{job}/errors",
        "GET /jobs/{job}/manifest",
        "GET /jobs/{job}/input",
        "POST /plans",
    ),
    "redrive": (
        "GET /dead-letters",
        "POST /dead-letters/{queue}",
    ),
    "observe": ("GET /metrics",),
    "grant": (
        "POST /keys",
        "GET /keys",
        "DELETE /keys/{key}",
        "GET /policies",
        "GET /policies/{policy}",
        "PUT /policies/{policy}",
        "DELETE /policies/{policy}",
    ),
}
