"""The records of a job that failed, and no others, are submitted once more."""

import csv
import gzip
import io
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace import InvalidInput, failed_records
from headrace.failed import Failed
from headrace_runtime.codec import line_blocks
from headrace_runtime.codec.csv_rows import open_csv
from headrace_runtime.codec.csv_text import CsvText
from headrace_runtime.codec.line_blocks import BadLine
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from tests.unit.client.test_client_jobs import ENDED, JOB, signed


@pytest.mark.parametrize(
    ("body", "failed", "rest"),
    [
        (b"a,b\n1,2\n3,x\n5,6\n7,", [(2, 3), (4, 5)], b"a,b\n3,x\n7,\n"),
        (b"a,b\r\n1,2\r\n3,x\r\n", [(2, 3)], b"a,b\r\n3,x\r\n"),
        (b"\xef\xbb\xbfa,b\n1,x\n", [(1, 2)], b"\xef\xbb\xbfa,b\n1,x\n"),
        (
            b'\xef\xbb\xbf"a";"\nb"\n1;"x\n\ny"\n2;3\n4;z',
            [(1, 3), (3, 7)],
            b'\xef\xbb\xbf"a";"\nb"\n1;"x\n\ny"\n4;z\n',
        ),
        (b'a,b\n"x"y,1\n2,3\n', [(1, 2)], b'a,b\n"x"y,1\n'),
        (b'a,b\n"never closed,1\n2,"3"\n"4,5\n', [(1, 2), (2, 3), (3, 4)], b'a,b\n2,"3"\n'),
        (b"a,b\n\xff,1\n2,3\n", [(1, 2)], b"a,b\n\xff,1\n"),
        (b'"a",b\n\xff,1\n2,3\n', [(1, 2)], b'"a",b\n\xff,1\n'),
        (b"\n\nx\n1\n\n2\n", [(2, 5)], b"x\n\n"),
        (b"1,2\n3,4\n5,6\n", [(2, 2)], b"3,4\n"),
    ],
)
def test_the_rows_of_a_csv_that_failed_are_sent_below_its_header(retried, body, failed, rest):
    assert retried(body, failed) == rest


@pytest.mark.parametrize(
    ("body", "line", "rest"),
    [
        (b"1;2\n3;x\n", 2, b"column_1;column_2\n3;x\n"),
        (b"1,2\n0,1\n", 2, b"column_1,column_2\n0,1\n"),
        (b'1,2\n"x"y,4\n', 2, b'column_1,column_2\n"x"y,4\n'),
        (b"1\n\n", 2, b"column_1\n\n"),
    ],
)
def test_a_row_that_could_be_taken_for_a_header_is_given_one(retried, body, line, rest):
    assert retried(body, [(line, line)]) == rest


def test_rows_are_found_wherever_blocks_end(retried, monkeypatch):
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 7)
    body = b"a,b\n" + b"".join(b'%d,"x\n%d"\n%d,y\n' % (i, i, i) for i in range(50))

    rest = retried(body, [(2 * i + 1, 3 * i + 2) for i in range(0, 50, 7)])

    assert rest == b"a,b\n" + b"".join(b'%d,"x\n%d"\n' % (i, i) for i in range(0, 50, 7))


@pytest.fixture
def too_long(monkeypatch):
    """A CSV whose first record is too long to be read."""
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 16)
    monkeypatch.setattr(line_blocks, "MAX_LINE_BYTES", 100)
    return b'a,b\n"1",' + b"9" * 300 + b'\n"x",3\n'


def test_a_line_too_long_to_be_read_is_left_out(retried, too_long):
    assert retried(too_long, [(1, 2), (2, 3)]) == b'a,b\n"x",3\n'


def test_where_no_line_is_left_nothing_is_sent(retried, too_long):
    with pytest.raises(InvalidInput, match="no record that failed can be read at all"):
        retried(too_long, [(1, 2)])


_CELLS = st.text('ab1.,;"\n\r\0é ', max_size=6)


@settings(max_examples=200)
@given(st.data(), st.integers(4, 64))
def test_what_is_taken_out_of_a_csv_is_the_records_that_were_asked_for(data, block_bytes):
    table = data.draw(st.lists(st.lists(_CELLS, min_size=1, max_size=3), max_size=8))
    body = b"h,i,j\n" + "\n".join(map(",".join, table)).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", block_bytes)
        lines, whole = _lines_of_records(body), _lines_of_whole_rows(body)
        failed = sorted(data.draw(st.sets(st.sampled_from(lines)) if lines else st.just(set())))
        texts = body.decode().split("\n")
        readable = [line for line in failed if line in whole or not _is_open(texts[line - 1])]
        if not readable:
            return
        rest = io.BytesIO()
        numbers = np.array(failed)
        failed_records._csv(io.BytesIO(body), Failed(numbers, numbers), rest)

        assert len(_lines_of_records(rest.getvalue())) == len(readable)


def _is_open(text):
    try:
        list(csv.reader([text], strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _lines_of_whole_rows(body):
    """Return the line on which each row begins that is CSV."""
    text = CsvText(1, lambda: None)
    text.add(body)
    return {row.line for row in text.rows() if not isinstance(row.cells, BadLine)}


def _lines_of_records(body):
    """Return the line on which each record begins, as the service sees them."""
    columns = Signature((TensorSpec("x", Datatype.FP32, (-1, FREE)),), ())
    lines = []
    for records in open_csv(lambda at: io.BytesIO(body[at:]), columns)[1]:
        lines += [*records.lines.tolist(), *(bad.line for bad in records.bad)]
    return lines


def test_the_lines_of_json_lines_that_failed_are_sent(retried):
    body = b'[1]\n\n{"x": "\xc3\xa9"}\n[3]'

    assert retried(body, [(2, 3), (3, 4)], "rows.jsonl") == b'{"x": "\xc3\xa9"}\n[3]\n'


def test_a_compressed_file_is_taken_apart_too(retried, service):
    body = gzip.compress(b"a\tb\n1\tx\n2\t3\n")

    assert retried(body, [(1, 2)], "rows.tsv.gz") == b"a\tb\n1\tx\n"
    assert {"model": "digits@1", "file": "rows-failed.tsv"} in [
        call.json for call in service.calls if call.path == "/jobs"
    ]


def test_who_answers_and_how_is_as_it_was_unless_another_is_named(service, client):
    found = ENDED | {"results": JOB["results"] | {"records": "predictions"}}
    service.answers("GET /jobs/j1", found)
    signed(service, "errors", "errors.jsonl", b'{"row": 1, "line": 1, "code": "C", "error": "e"}\n')
    signed(service, "input", "rows.csv", b"1,2\n")
    service.answers("POST /jobs", {"error": "no"}, status=403)

    for version in (None, "live"):
        with pytest.raises(Exception, match="no"):
            client.retry_failed("j1", version)

    assert [call.json for call in service.calls if call.method == "POST"] == [
        {"model": reference, "results": "predictions", "file": "rows-failed.csv"}
        for reference in ("digits@1", "digits@live")
    ]


def test_when_the_new_job_should_have_ended_is_asked_for(service, client):
    service.answers("GET /jobs/j1", ENDED | {"deadline_s": 60})
    signed(service, "errors", "errors.jsonl", b'{"row": 1, "line": 1, "code": "C", "error": "e"}\n')
    signed(service, "input", "rows.csv", b"1,2\n")
    service.answers("POST /jobs", {"error": "no"}, status=403)

    for asked in ({}, {"deadline_s": 600}):
        with pytest.raises(Exception, match="no"):
            client.retry_failed("j1", **asked)

    orders = [call.json for call in service.calls if call.method == "POST"]
    assert [order.get("deadline_s") for order in orders] == [None, 600]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (ENDED | {"rows_failed": 0}, "no record of job j1 failed: there is nothing to retry"),
        (JOB | {"state": "running", "rows_failed": 2}, "job j1 is running"),
        (JOB | {"state": "failed", "error": "it is a PDF"}, "failed as a whole.*: it is a PDF"),
    ],
)
def test_what_cannot_be_tried_again_is_said(service, client, found, why):
    service.answers("GET /jobs/j1", found)

    with pytest.raises(InvalidInput, match=why):
        client.retry_failed("j1")

    assert service.asked() == ["GET /jobs/j1"]


def test_a_job_whose_errors_name_no_record_failed_as_a_whole(service, client):
    service.answers("GET /jobs/j1", ENDED)
    line = {"row": None, "line": None, "code": "TOO_LARGE", "error": "it is too large"}
    signed(service, "errors", "errors.jsonl", json.dumps(line).encode())

    with pytest.raises(InvalidInput, match=re.escape("not by records: it is too large")):
        client.retry_failed("j1")
