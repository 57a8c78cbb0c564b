import io
import tarfile
from pathlib import Path

import pytest

from infra.local.triton.archive import ArchiveRefused, unpack


def _archive(folder: Path, *members: tarfile.TarInfo | str) -> Path:
    path = folder / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = 1 if info.isreg() else 0
            archive.addfile(info, io.BytesIO(b"x"))
    return path


def _link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GOOD = ("model/config.pbtxt", "model/1/model.onnx")


def test_an_archive_lies_where_it_was_unpacked(tmp_path):
    unpack(_archive(tmp_path, *GOOD), tmp_path / "repository")

    assert (tmp_path / "repository/model/1/model.onnx").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (("../outside",), "outside"),
        (("model/../../outside",), "outside"),
        ((_link("model/1/model.onnx", "/etc/passwd"),), "neither a file nor a folder"),
        ((_link("model/1/model.onnx", "x", tarfile.LNKTYPE),), "neither a file nor a folder"),
        ((_link("model/fifo", "", tarfile.FIFOTYPE),), "neither a file nor a folder"),
        (("config.pbtxt", "1/model.onnx"), "it lacks model/config.pbtxt"),
        (("model/config.pbtxt",), "it lacks model/1/model.onnx"),
    ],
)
def test_an_archive_that_leads_elsewhere_or_holds_no_model_is_refused(tmp_path, members, reason):
    with pytest.raises(ArchiveRefused, match=reason):
        unpack(_archive(tmp_path, *members), tmp_path / "inner" / "repository")

    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "inner" / "outside").exists()


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ArchiveRefused, match="not a gzip file"):
        unpack(tmp_path / "model.tar.gz", tmp_path / "repository")

    whole = _archive(tmp_path, *GOOD).read_bytes()
    (tmp_path / "model.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveRefused):
        unpack(tmp_path / "model.tar.gz", tmp_path / "other")
