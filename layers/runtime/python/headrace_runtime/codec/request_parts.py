"""Members of an infer request, each taken out with its type checked."""

from typing import Any, TypeVar

from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Datatype

Kind = TypeVar("Kind")

_DATATYPES: dict[object, Datatype] = {str(datatype): datatype for datatype in Datatype}
_KINDS: dict[type, str] = {str: "text", list: "a list", dict: "an object"}


def split(body: bytes, header_length: str | None) -> tuple[memoryview, memoryview | None]:
    """Return the JSON and what follows it; None for the latter where the whole body is JSON.

    Raises:
        InvalidInput: the length is no number, or more than the body has.
    """
    view = memoryview(body)
    if header_length is None:
        return view, None
    digits = header_length.strip()
    if not (digits.isascii() and digits.isdigit()) or int(digits[:20]) > len(body):
        raise InvalidInput(
            "Inference-Header-Content-Length must be the number of bytes of JSON at the beginning "
            f"of the body, which has {len(body)}: got {digits[:20]!r}",
            expected=f"0 to {len(body)}",
            got=digits[:20],
        )
    length = int(digits[:20])
    return view[:length], view[length:]


def member(plain: dict[str, Any], name: str, kind: type[Kind], where: str) -> Kind:
    """Return a member that must be there.

    Raises:
        InvalidInput: it is not there, or of another kind.
    """
    value = plain.get(name)
    if not isinstance(value, kind):
        expected = _KINDS[kind]
        missing = "is missing" if value is None else f"must be {expected}"
        raise InvalidInput(
            f"{where}: {name!r} {missing}", path=f"{where}.{name}", expected=expected
        )
    return value


def objects(plain: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a member that must be a list of objects.

    Raises:
        InvalidInput: it is not one.
    """
    values = member(plain, name, list, "the body")
    if not set(map(type, values)) <= {dict}:
        raise InvalidInput(f"{name} must be a list of objects", path=name)
    return values


def parameters_of(plain: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the member `parameters`, empty where there is none.

    Raises:
        InvalidInput: it is no object.
    """
    return {} if plain.get("parameters") is None else member(plain, "parameters", dict, where)


def size_of(parameters: dict[str, Any], where: str) -> int | None:
    """Return `binary_data_size`, or None where the tensor's values stand in the JSON.

    Raises:
        InvalidInput: it is no size.
    """
    size = parameters.get("binary_data_size")
    if size is None or (type(size) is int and size >= 0):
        return size
    raise InvalidInput(
        f"{where}.parameters.binary_data_size must be a number of bytes",
        path=f"{where}.parameters.binary_data_size",
    )


def datatype_of_input(plain: dict[str, Any], where: str) -> Datatype:
    """Return the input's datatype.

    Raises:
        InvalidInput: it is none of the protocol's.
    """
    name = member(plain, "datatype", str, where)
    datatype = _DATATYPES.get(name)
    if datatype is None:
        raise InvalidInput(
            f"{where}: there is no datatype {name[:40]!r}: send one of {', '.join(Datatype)}",
            path=f"{where}.datatype",
            expected=list(Datatype),
            got=name[:40],
        )
    return datatype
