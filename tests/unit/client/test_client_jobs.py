import pytest

from headrace import ApiError, InvalidInput, WaitedTooLong

JOB = {
    "job_id": "j1",
    "state": "queued",
    "model": "digits",
    "version": 1,
    "digest": "d",
    "input": {"bucket": "inbox", "key": "inbox/digits/u/rows.csv", "version_id": "v"},
    "results": {"bucket": "results", "prefix": "digits/u/rows.csv/j1/"},
    "rows_in": 0,
    "rows_ok": 0,
    "rows_failed": 0,
    "created_at": "2026-11-23T00:00:00+00:00",
    "started_at": None,
    "finished_at": None,
}
ENDED = JOB | {"state": "partial", "rows_in": 3, "rows_ok": 2, "rows_failed": 1}
UNKNOWN = {"error": "there is no job 'j1'", "code": "JOB_NOT_FOUND"}


def _signed(service, part, name, body):
    service.answers(
        f"GET /jobs/j1/{part}",
        {"url": f"{service.url}/storage/{name}", "file": name, "expires_in_s": 900},
    )
    service.answers(f"GET /storage/{name}", body=body, content_type="binary/octet-stream")


def test_a_file_is_sent_to_the_inbox_and_its_job_is_named(service, client, tmp_path):
    upload = {"url": f"{service.url}/storage", "fields": {"key": "k"}}
    service.answers("POST /jobs", {"upload": upload, "bucket": "inbox", "key": "k"}, status=201)
    service.answers("POST /jobs", {"job_id": "j1", "bucket": "inbox", "key": "k"})
    service.answers("POST /storage", status=204, body=b"")
    path = tmp_path / "rows.csv"
    path.write_bytes(b"1,2\n")

    job_id = client.submit(path, "digits", "live")

    assert job_id == "j1"
    first, sent, second = service.calls
    assert first.json == {"model": "digits@live", "file": "rows.csv"}
    assert b"1,2\n" in sent.body
    assert second.json == {"key": "k"}


def test_a_job_is_waited_for_from_before_it_is_known_to_its_end(service, client):
    service.answers("GET /jobs/j1", UNKNOWN, status=404)
    service.answers("GET /jobs/j1", JOB)
    service.answers("GET /jobs/j1", JOB | {"state": "running", "rows_in": 3})
    service.answers("GET /jobs/j1", ENDED)
    seen = []

    job = client.wait("j1", on_progress=lambda job: seen.append(job.state))

    assert seen == ["queued", "running", "partial"]
    assert (job.rows_in, job.rows_ok, job.rows_failed) == (3, 2, 1)
    assert job.source == "s3://inbox/inbox/digits/u/rows.csv"
    assert job.results == "s3://results/digits/u/rows.csv/j1/"


def test_a_job_that_never_starts_is_waited_for_so_long_only(service, client):
    service.answers("GET /jobs/j1", UNKNOWN, status=404)

    with pytest.raises(WaitedTooLong, match=r"the start of job j1 did not come within 0\.2 s"):
        client.wait("j1", start_timeout_s=0.2)


def test_a_job_that_never_ends_is_waited_for_so_long_only(service, client):
    service.answers("GET /jobs/j1", JOB)

    with pytest.raises(WaitedTooLong, match="the end of job j1"):
        client.wait("j1", timeout_s=0.2)


def test_another_error_than_not_found_ends_the_waiting(service, client):
    service.answers("GET /jobs/j1", {"error": "no"}, status=403)

    with pytest.raises(ApiError, match="no"):
        client.wait("j1")


def test_results_errors_and_manifest_are_downloaded(service, client, tmp_path):
    service.answers("GET /jobs/j1", ENDED)
    _signed(service, "results", "results.csv", b"label\n7\n8\n")
    _signed(service, "errors", "errors.jsonl", b"{}\n")
    _signed(service, "manifest", "manifest.json", b"{}")

    paths = client.results("j1", tmp_path / "new")

    assert [path.name for path in paths] == ["results.csv", "errors.jsonl", "manifest.json"]
    assert paths[0].read_bytes() == b"label\n7\n8\n"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        path.name for path in paths
    )


def test_a_download_that_storage_refuses_leaves_no_file(service, client, tmp_path):
    service.answers("GET /jobs/j1", ENDED | {"rows_failed": 0})
    _signed(service, "results", "results.csv", b"")
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
    _signed(service, "manifest", "manifest.json", b"{}")

    paths = client.results("j1", tmp_path)

    assert [path.name for path in paths] == ["manifest.json"]
