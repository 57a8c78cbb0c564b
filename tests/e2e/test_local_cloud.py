"""The local cloud with this repository's template: how it starts, what it says, how it ends."""

import httpx

from tests.e2e.conftest import Cloud


def test_calls_reach_the_functions_that_the_template_names(cloud: Cloud) -> None:
    answer = httpx.get(f"{cloud.url}/v2/health/live")

    assert answer.status_code == 200
