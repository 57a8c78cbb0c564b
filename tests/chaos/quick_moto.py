"""moto in a time that does not grow with what it holds: for worlds of 10,000 jobs.

Two requests of its DynamoDB look at every item: a transaction copies its tables, to put them back
if it is cancelled, and a query goes through all of them. Here both look at what they name. What is
relied on: `transact_write_items` copies by `deepcopy` of a `Table`; a query without an index takes
its items out of `Table.all_items`; `Table.items` is a dict of dicts, by hash and range key.

Its S3 copies all objects, content and all, to list the versions of some: here it copies what it
says of them.

And each request has it look through its own folder, and its own classes: here the first one only.
Each attribute of an item is looked for under thirty names, `S` and `N` and the like and their
aliases, of which a dict has exactly one: here under one each.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.serialize import AttributePicker
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.s3.models import FakeKey

_KINDS_OF_VALUES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
_INDEX_NAME = 6  # among the positional arguments of `Table.query` behind the hash key


def hurry() -> None:
    """Let moto look at what a request names, and at itself once."""
    _look_at_what_is_named()
    FakeKey.__deepcopy__ = _mention
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    responses.method_names_from_class = cache(responses.method_names_from_class)
    look_for_kinds_of_values_by_name()


class _Mention(FakeKey):
    """What is said of an object; its end is not that of the content, which it shares."""

    def __del__(self) -> None:
        pass


def _mention(key: Any, _: Any) -> Any:
    mention = _Mention.__new__(_Mention)
    mention.__dict__ |= key.__dict__
    return mention


def look_for_kinds_of_values_by_name() -> None:
    """Let `S`, `N` and the like be looked for under one name, not thirty."""
    pick = AttributePicker.__call__

    def pick_quickly(picker: Any, context: Any) -> Any:
        if context.key in _KINDS_OF_VALUES and type(context.obj) is dict:
            return context.obj.get(context.key)
        return pick(picker, context)

    AttributePicker.__call__ = pick_quickly


def _look_at_what_is_named() -> None:
    """Let transactions copy the items that they name, and queries read their partition."""
    write, query = DynamoDBBackend.transact_write_items, Table.query

    def write_or_put_back(backend: Any, transact_items: Any) -> None:
        kept = [_place(backend, *request.values()) for request in transact_items]
        before = [deepcopy(partition.get(key)) for partition, key in kept]
        try:
            write(backend, transact_items)
        except BaseException:
            for (partition, key), item in zip(kept, before, strict=True):
                partition.pop(key, None)
                if item is not None:
                    partition[key] = item
            raise

    def query_partition(table: Any, hash_key: Any, *args: Any, **named: Any) -> Any:
        looked_at = table if args[_INDEX_NAME] else _Partition(table, hash_key)
        return query(looked_at, hash_key, *args, **named)

    DynamoDBBackend.transact_write_items = write_or_put_back
    Table.__deepcopy__ = lambda table, _: table
    Table.query = query_partition


def _place(backend: Any, request: Any) -> tuple[Any, Any]:
    table = backend.get_table(request["TableName"])
    named = request.get("Key") or request["Item"]
    key = {name: named[name] for name in (table.hash_key_attr, table.range_key_attr)}
    hash_key, range_key = backend.get_keys_value(table, key)
    return table.items[hash_key], range_key


class _Partition:
    """A table, of which `all_items` are those of one partition."""

    def __init__(self, table: Any, hash_key: Any) -> None:
        self._table = table
        self._hash_key = hash_key

    def all_items(self) -> list[Any]:
        return list(self._table.items.get(self._hash_key, {}).values())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)
