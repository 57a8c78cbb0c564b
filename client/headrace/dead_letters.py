"""Messages that were given up, looked at and put back into their queues. For admins alone."""

from urllib.parse import quote

from headrace.connection import Connection

_AT_ONCE = 100  # messages that one call moves


def dead_letters(connection: Connection) -> dict[str, int]:
    """Return by queue how many messages wait that were given up."""
    return {one["name"]: one["waiting"] for one in connection.get("/dead-letters")["queues"]}


def redrive(connection: Connection, queue: str | None, limit: int | None) -> dict[str, int]:
    """Put messages back until none is left or *limit* are moved; return how many, by queue."""
    queues = dead_letters(connection) if queue is None else [queue]
    moved: dict[str, int] = {}
    for name in queues:
        rest = None if limit is None else limit - sum(moved.values())
        moved[name] = _moved(connection, name, rest)
    return moved


def _moved(connection: Connection, queue: str, limit: int | None) -> int:
    path, total = f"/dead-letters/{quote(queue, safe='')}", 0
    while limit is None or total < limit:
        wanted = _AT_ONCE if limit is None else min(_AT_ONCE, limit - total)
        answer = connection.send("POST", path, {"max": wanted}, repeatable=False)
        total += answer["moved"]
        if not answer["moved"] or not answer["left"]:
            break
    return total
