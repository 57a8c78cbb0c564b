"""What a job took and left comes down whole, or not at all."""

import hashlib
import json

import pytest

from headrace import ApiError, DamagedDownload, InvalidInput
from tests.unit.client.test_client_jobs import ENDED, JOB, signed

RESULTS = b"label\n7\n8\n"


def _sha256(*parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _of_parts(*parts):
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    return f"{hashlib.sha256(digests).hexdigest()}-{len(parts)}"


def _written(service, sha256, parts=()):
    """Let job j1 have left RESULTS, and say that they have this sha256."""
    told = {"results": JOB["results"] | {"sha256": sha256}}
    manifest = told | {"parts": [{"size_bytes": len(p), "sha256": _sha256(p)} for p in parts]}
    service.answers("GET /jobs/j1", ENDED | {"rows_failed": 0} | told)
    signed(service, "results", "results.csv", RESULTS)
    signed(service, "manifest", "manifest.json", json.dumps(manifest).encode())


def test_results_errors_and_manifest_are_downloaded(service, client, tmp_path):
    service.answers("GET /jobs/j1", ENDED)
    signed(service, "results", "results.csv", b"label\n7\n8\n")
    signed(service, "errors", "errors.jsonl", b"{}\n")
    signed(service, "manifest", "manifest.json", b"{}")

    paths = client.results("j1", tmp_path / "new")

    assert [path.name for path in paths] == ["results.csv", "errors.jsonl", "manifest.json"]
    assert paths[0].read_bytes() == b"label\n7\n8\n"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in paths
    )


def test_a_download_that_storage_refuses_leaves_no_file(service, client, tmp_path):
    service.answers("GET /jobs/j1", ENDED | {"rows_failed": 0})
    signed(service, "results", "results.csv", b"")
    service._answers["GET /storage/results.csv"] = [(404, b"<Code>NoSuchKey</Code>", {})]

    with pytest.raises(ApiError, match=r"storage refused the download of results\.csv"):
        client.results("j1", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_file_name_of_the_service_never_leads_out_of_the_folder(service, client, tmp_path):
    service.answers("GET /jobs/j1", ENDED | {"rows_failed": 0})
    service.answers("GET /jobs/j1/results", {"url": service.url, "file": "../x", "expires_in_s": 1})

    with pytest.raises(InvalidInput, match="no name of a file"):
        client.results("j1", tmp_path)


def test_of_a_job_that_could_not_begin_there_is_a_manifest_alone(service, client, tmp_path):
    failed = {"state": "failed", "model": None, "version": None, "error": "the file is empty"}
    service.answers("GET /jobs/j1", JOB | failed)
    signed(service, "manifest", "manifest.json", b"{}")

    paths = client.results("j1", tmp_path)

    assert [path.name for path in paths] == ["manifest.json"]


def test_results_that_are_what_was_written_come_down(service, client, tmp_path):
    _written(service, _sha256(RESULTS))

    assert client.results("j1", tmp_path)[0].read_bytes() == RESULTS


@pytest.mark.parametrize("cuts", [(6,), (6, 8), (0, 6), (6, 6), (1, 10), (10,)])
def test_results_of_parts_are_checked_by_the_parts_own_sums(service, client, tmp_path, cuts):
    ends = zip((0, *cuts), (*cuts, len(RESULTS)), strict=True)
    parts = [RESULTS[begin:end] for begin, end in ends]
    _written(service, _of_parts(*parts), parts)

    assert client.results("j1", tmp_path)[0].read_bytes() == RESULTS


def test_the_sum_of_parts_that_nobody_names_is_not_checked(service, client, tmp_path):
    _written(service, "ab" * 32 + "-2")

    assert len(client.results("j1", tmp_path)) == 2


@pytest.mark.parametrize(
    ("sha256", "parts"),
    [
        (_sha256(b"label\n7\n9\n"), ()),
        (_of_parts(b"label\n", b"7\n9\n"), (b"label\n", b"7\n9\n")),
        (_of_parts(b"label\n", b"7\n"), (b"label\n", b"7\n")),
        (_of_parts(b"label\n", RESULTS), (b"label\n", RESULTS)),
    ],
    ids=["other bytes", "other bytes of a part", "too long", "too short"],
)
def test_damaged_results_are_said_to_be_and_leave_no_file(service, client, tmp_path, sha256, parts):
    _written(service, sha256, parts)

    with pytest.raises(DamagedDownload, match=rf"results\.csv came down damaged.*{sha256}") as told:
        client.results("j1", tmp_path)

    assert told.value.code == "DAMAGED_DOWNLOAD"
    assert list(tmp_path.iterdir()) == []


def test_a_job_cancelled_before_it_began_left_a_manifest_alone(service, client, tmp_path):
    service.answers("GET /jobs/j1", JOB | {"state": "cancelled"})
    signed(service, "manifest", "manifest.json", b"{}")

    assert [path.name for path in client.results("j1", tmp_path)] == ["manifest.json"]


def test_the_file_of_a_job_comes_down_to_a_folder_or_under_a_name(service, client, tmp_path):
    signed(service, "input", "rows.csv", b"1,2\n")

    assert client.input("j1", tmp_path) == tmp_path / "rows.csv"
    assert client.input("j1", tmp_path / "other.csv").read_bytes() == b"1,2\n"
