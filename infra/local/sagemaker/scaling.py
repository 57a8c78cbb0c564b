"""How many instances an endpoint should have, as its scaling policies would have it."""

import math
import os

from infra.local.sagemaker.hosted import Scaling

# More containers than that only take time from each other, whatever an endpoint may have.
MOST_HERE = os.cpu_count() or 1


def wanted_instances(
    count: int,
    backlog: int,
    *,
    scaling: Scaling | None,
    fixed: int,
    is_idle: bool,
) -> int:
    """Return a count of instances.

    Args:
        count: those that there are.
        backlog: requests that wait.
        scaling: None where nothing scales.
        fixed: the count that the endpoint was last told to have, for where nothing scales.
        is_idle: whether there was no request for as long as scaling in takes.
    """
    if scaling is None:
        return min(fixed, MOST_HERE) if count or backlog else 0
    most = min(scaling.most, MOST_HERE)
    wanted = count
    if count == 0:
        wanted = int(bool(backlog) and scaling.wakes)
    elif backlog and scaling.backlog_target:
        wanted = max(count, math.ceil(backlog / scaling.backlog_target))
    elif is_idle and not backlog:
        wanted = scaling.least
    return max(min(scaling.least, MOST_HERE), min(wanted, most))
