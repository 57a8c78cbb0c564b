"""Files to drop, and what must come of each: told in plain Python, by none of our code.

Every record is (its place in the file, the number of the file, 3, its place modulo 7), so that an
answer shows which record of which file it is an answer to. The model is `onnx_models.linear`.
"""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import numpy as np

SHORT_ROWS, LONG_ROWS = 40, 5000
HEADER = "a,b,c,d"
ANSWERED = "y_0,y_1,y_2"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a file.

    Attributes:
        state: of its job.
        answered: how many records have an answer.
        listed: row and line of those that have none.
        results: name and content of the file of results; None where there is none. Of NPY the
            content is the array's bytes, without a header.
        code: why the job failed as a whole; "" where it did not.
    """

    state: str
    answered: int = 0
    listed: tuple[tuple[int, int], ...] = ()
    results: tuple[str, bytes] | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file to drop."""

    key: str
    body: bytes
    expected: Expected


def files(count: int, draw: Random) -> Iterator[File]:
    """Yield so many files; some have the key of an earlier one, of which they are a new version."""
    csv_keys: list[str] = []
    for number in range(count):
        kind = draw.choices(list(_KINDS), weights=[weight for weight, _ in _KINDS.values()])[0]
        key = draw.choice(("linear/{} + é/{}", "inbox/linear@live/{}/{}")).format(
            number % 5, f"{number}.{kind.removeprefix('long.').removeprefix('bad.')}"
        )
        if kind == "csv":
            if csv_keys and draw.random() < 0.1:
                key = draw.choice(csv_keys)
            csv_keys.append(key)
        if kind == "bad.nobody.csv":
            key = f"nobody/{number}.csv"
        rows = draw.randint(LONG_ROWS // 2, LONG_ROWS) if "long." in kind else 0
        body, expected = _KINDS[kind][1](number, rows or draw.randint(1, SHORT_ROWS), draw)
        yield File(key, body, expected)


def answer(record: list[int]) -> list[float]:
    """Return what the model gives: `y[j] = sum(x[i] * (i - j)) + j`."""
    return [float(sum(x * (i - j) for i, x in enumerate(record)) + j) for j in range(3)]


def _record(number: int, place: int) -> list[int]:
    return [place, number, 3, place % 7]


def _csv(number: int, rows: int, draw: Random) -> tuple[bytes, Expected]:
    """Return rows of which some are bad, some of those of several lines that look like rows."""
    lines, results, listed = [HEADER], [f"{HEADER},{ANSWERED}"], []
    line = 2
    for place in range(rows):
        record = _record(number, place)
        text = ",".join(map(str, record))
        luck = draw.random()
        if luck < 0.03:
            text = text.replace(",3,", ",oops,")
        elif luck < 0.05:
            text = text.replace(",3,", ',"3\n1,2,3,4\n5",')
        elif luck < 0.08:
            text = f'"{place}"' + text[len(str(place)) :]
        lines.append(text)
        if luck < 0.05:
            listed.append((place + 1, line))
        else:
            results.append(f"{text},{','.join(map(str, answer(record)))}")
        line += text.count("\n") + 1
    return _text(lines), _expected("csv", rows, listed, _text(results))


def _all_bad(number: int, rows: int, _: Random) -> tuple[bytes, Expected]:
    lines = [HEADER, *(f"{number},x,3,{place}" for place in range(rows))]
    listed = [(place + 1, place + 2) for place in range(rows)]
    return _text(lines), _expected("csv", rows, listed, _text([f"{HEADER},{ANSWERED}"]))


def _json_lines(number: int, rows: int, draw: Random) -> tuple[bytes, Expected]:
    """Return arrays and objects; some are bad, and some lines are empty."""
    lines, results, listed = [], [], []
    for place in range(rows):
        record = _record(number, place)
        outputs = f'"y":{json.dumps(answer(record), separators=(",", ":"))}}}'
        text, luck = json.dumps(record), draw.random()
        answered = f'{{"input":{text},{outputs}'
        if luck < 0.05:
            text = text.replace(", 3,", ', "3",')
        elif luck < 0.5:
            text = json.dumps({"id": f"{number}/{place}", "x": record})
            answered = f"{text[:-1]},{outputs}"
        lines.append(text)
        if luck < 0.05:
            listed.append((place + 1, len(lines)))
        else:
            results.append(answered)
        if luck > 0.9:
            lines.append("")
    return _text(lines), _expected("jsonl", rows, listed, _text(results))


def _npy(number: int, rows: int, _: Random) -> tuple[bytes, Expected]:
    records = [_record(number, place) for place in range(rows)]
    written = io.BytesIO()
    np.save(written, np.array(records, np.float32))
    outputs = np.array([answer(record) for record in records], np.float32)
    return written.getvalue(), _expected("npy", rows, [], outputs.tobytes())


def _csv_gz(number: int, rows: int, draw: Random) -> tuple[bytes, Expected]:
    body, expected = _csv(number, rows, draw)
    return gzip.compress(body, mtime=0), expected


def _cut_gz(number: int, rows: int, draw: Random) -> tuple[bytes, Expected]:
    body, _ = _csv_gz(number, rows, draw)
    return body[:-9], Expected("failed", code="INVALID_INPUT")


def _unfit(number: int, rows: int, _: Random) -> tuple[bytes, Expected]:
    lines = ["a,b,c", *(f"{number},2,{place}" for place in range(rows))]
    return _text(lines), Expected("failed", code="INVALID_INPUT")


def _empty(_number: int, _rows: int, _: Random) -> tuple[bytes, Expected]:
    return b"", Expected("failed", code="INVALID_INPUT")


def _of_nobody(number: int, rows: int, draw: Random) -> tuple[bytes, Expected]:
    return _csv(number, rows, draw)[0], Expected("failed", code="MODEL_NOT_FOUND")


def _expected(suffix: str, rows: int, listed: list[tuple[int, int]], results: bytes) -> Expected:
    state = "succeeded" if not listed else "failed" if len(listed) == rows else "partial"
    return Expected(state, rows - len(listed), tuple(listed), (f"results.{suffix}", results))


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


# How many in a hundred, and what makes them. Long ones are several shards.
_KINDS: dict[str, tuple[int, Callable[[int, int, Random], tuple[bytes, Expected]]]] = {
    "csv": (46, _csv),
    "jsonl": (17, _json_lines),
    "npy": (8, _npy),
    "csv.gz": (8, _csv_gz),
    "long.csv": (4, _csv),
    "long.jsonl": (2, _json_lines),
    "long.npy": (2, _npy),
    "long.csv.gz": (2, _csv_gz),
    "bad.rows.csv": (2, _all_bad),
    "bad.unfit.csv": (3, _unfit),
    "bad.cut.csv.gz": (3, _cut_gz),
    "bad.nobody.csv": (2, _of_nobody),
    "bad.empty.csv": (1, _empty),
}
