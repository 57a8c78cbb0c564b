"""What the first limited child runs: read the model, judge it, take it apart if it is large."""

from pathlib import Path
from typing import Any

from headrace_runtime.validation import inspection, weights_file
from headrace_runtime.validation.child import Report, answer


def inspect(work: dict[str, Any], _report: Report) -> dict[str, Any]:
    """Return `{"split": whether}` once the model at `work["model"]` has passed every rule.

    Above `work["split_above_bytes"]` its graph and weights are written into the folder
    `work["directory"]`.

    Raises:
        ModelRefused: the model breaks a rule.
    """
    data = Path(work["model"]).read_bytes()
    size = len(data)
    model = inspection.parse(data)
    del data  # the model holds a copy of its own
    inspection.check(model)
    large = size > work["split_above_bytes"]
    moved = weights_file.split(model, Path(work["directory"])) if large else 0
    inspection.check_known(model, file_bytes=size, moved_bytes=moved)
    inspection.check_structure(model)
    return {"split": large}


if __name__ == "__main__":
    answer(inspect)
