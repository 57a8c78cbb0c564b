"""A prediction → JSON text for a terminal or the next program."""

import base64
import json
from typing import Any

from headrace.predicting import Prediction
from headrace_runtime.tensor import Array


def prediction(found: Prediction) -> str:
    """Return `{"model", "version", "outputs": {name: nested lists}}`; texts as text.

    Bytes that are no UTF-8 become `{"b64": …}`; NaN and infinities are written as Python does.
    """
    outputs = {name: _plain(array) for name, array in found.items()}
    return json.dumps({"model": found.model, "version": found.version, "outputs": outputs})


def _plain(array: Array) -> Any:
    return _texts(array.tolist()) if array.dtype == object else array.tolist()


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(element) for element in value]
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode()}
