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
    large = len(data) > work["split_above_bytes"]
    model = inspection.parse(data)
    del data
    inspection.check(model)
    if large:
        weights_file.split(model, Path(work["directory"]))
    inspection.check_structure(model)
    return {"split": large}


if __name__ == "__main__":
    answer(inspect)
