"""Updates of stacks in the order that CloudFormation has: what is new, then what is gone.

What is relied on: `ResourceMap.update` is an update whole; `build_resource_diff` says what it is
about; `parse_and_update_resource` returns None for a type that cannot be updated.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudformation import parsing

_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")


def update_stacks_in_order() -> None:
    """Let a stack's update create and change each resource after those that it refers to.

    moto removes first, then adds, then changes: a new version of a function would be published
    before the function's code is updated, and an alias would for a moment lead nowhere.
    """
    parsing.ResourceMap.update = _update  # type: ignore[assignment,method-assign]


def _update(stack: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    difference = stack.build_resource_diff(template, parameters)
    gone = {name: stack._resource_json_map[name] for name in difference["Remove"]}  # noqa: SLF001 - what this module is for
    stack._template = template  # noqa: SLF001
    if parameters:
        stack.input_parameters = parameters
    stack.load_mapping()
    stack.load_parameters()
    stack.load_conditions()
    stack._resource_json_map = template["Resources"]  # noqa: SLF001
    for name in in_order(template["Resources"]):
        if name in difference["Add"]:
            stack[name]  # created as it is asked for
        elif name in difference["Modify"]:
            _change(stack, name)
    for name in reversed(in_order(gone)):
        resource = stack._parsed_resources.pop(name, None)  # noqa: SLF001
        if resource is not None and gone[name].get("DeletionPolicy") != "Retain":
            stack._delete_resource(resource, gone[name])  # noqa: SLF001


def _change(stack: Any, name: str) -> None:
    changed = parsing.parse_and_update_resource(
        name,
        stack._resource_json_map[name],  # noqa: SLF001
        stack,
        account_id=stack._account_id,  # noqa: SLF001
        region_name=stack._region_name,  # noqa: SLF001
    )
    if changed is not None:  # else moto cannot change it: it stays as it was
        stack._parsed_resources[name] = changed  # noqa: SLF001


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """Return the names of a template's resources, each after those that it refers to."""
    ordered: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        if name in ordered or name not in resources or name in above:
            return
        for other in _references(resources[name]):
            visit(other, above | {name})
        ordered[name] = None

    for name in resources:
        visit(name, frozenset())
    return list(ordered)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from _SUBSTITUTED.findall(part)
    elif isinstance(part, list):
        for one in part:
            yield from _references(one)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0] if isinstance(value, list) else value.partition(".")[0]
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _references(value)
