"""Resolved CloudFormation properties as the arguments of the API call that creates the resource."""

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3


@cache
def client(service: str) -> Any:
    """Return a boto3 client of the server that the types are plugged into."""
    # Making one takes longer than the call that it is made for.
    return boto3.client(service)


def arguments(service: str, operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return those properties that an operation takes, as the kinds of values that it takes.

    Args:
        service: as boto3 names it.
        operation: as the API names it, `CreateRoute`.
        properties: what the operation does not know is left out.
    """
    shape = client(service).meta.service_model.operation_model(operation).input_shape
    taken: dict[str, Any] = _as(shape, properties)
    return taken


def _as(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        known = shape.members
        return {name: _as(known[name], part) for name, part in value.items() if name in known}
    if kind == "list":
        return [_as(shape.member, part) for part in value]
    if kind == "map":
        if isinstance(value, list):  # tags
            return {str(one["Key"]): str(one["Value"]) for one in value}
        return {name: _as(shape.value, part) for name, part in value.items()}
    if kind in _PLAIN:
        return _PLAIN[kind](value)
    return value


# Templates may hold any of these as text.
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "boolean": lambda value: str(value).lower() == "true",
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
}
