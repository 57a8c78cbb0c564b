import hashlib
import os
import resource
import tarfile

import pytest

from headrace_runtime.aws.triton_archive import write_archive


@pytest.fixture
def graph(tmp_path):
    """A file of a name that the archive does not keep."""
    file = tmp_path / "dropped.onnx"
    file.write_bytes(bytes(range(256)) * 1000)
    return file


def test_an_archive_holds_what_tritons_repository_holds(graph, tmp_path):
    with tarfile.open(write_archive(graph, 'name: "model"\n', tmp_path), "r:gz") as archive:
        members = archive.getmembers()
        read = [file.read() for file in map(archive.extractfile, members)]
    assert [member.name for member in members] == ["model/config.pbtxt", "model/1/model.onnx"]
    assert read == [b'name: "model"\n', graph.read_bytes()]
    assert {(m.uid, m.gid, m.uname, m.mtime, m.mode, m.isfile()) for m in members} == {
        (0, 0, "", 0, 0o644, True)
    }


def test_the_same_model_is_the_same_archive_whenever_it_is_made(graph, tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    one = write_archive(graph, "c", first)
    os.utime(graph, (1, 1))
    graph.chmod(0o600)
    monkeypatch.setattr("time.time", lambda: 4e9)
    other = write_archive(graph, "c", second)
    assert (one.name, one.read_bytes()) == (other.name, other.read_bytes())


def test_an_archive_is_named_by_its_bytes(graph, tmp_path):
    made = [write_archive(graph, config, tmp_path) for config in ("one", "another")]
    digests = [hashlib.sha256(archive.read_bytes()).hexdigest() for archive in made]
    assert [archive.name for archive in made] == [f"model-{d[:16]}.tar.gz" for d in digests]
    assert digests[0] != digests[1]


def test_nothing_but_the_archive_is_left(graph, tmp_path):
    made = write_archive(graph, "c", tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([graph, made])


def test_a_large_model_is_never_in_memory(tmp_path):
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(256 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_archive(large, "c", tmp_path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10  # KB
