"""The CDK's command line is the pinned one, and `make deploy` runs it."""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra import cdk_cli

ROOT = Path(__file__).parents[2]


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        manifest = json.dumps({"name": cdk_cli.PACKAGE, "version": cdk_cli.VERSION}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
    return buffer.getvalue()


@pytest.fixture
def foreign_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A registry of npm's that has another package under the name and version that are pinned."""
    archive = _archive()
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{self.server.server_address[1]}/archive.tgz"
            version = {
                "name": cdk_cli.PACKAGE,
                "version": cdk_cli.VERSION,
                "dist": {"tarball": address, "integrity": f"sha512-{digest}"},
            }
            package = {
                "name": cdk_cli.PACKAGE,
                "dist-tags": {"latest": cdk_cli.VERSION},
                "versions": {cdk_cli.VERSION: version},
            }
            wanted_archive = self.path.endswith(".tgz")
            body = archive if wanted_archive else json.dumps(package).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("foreign_registry")
def test_an_archive_that_is_not_the_pinned_one_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(cdk_cli.NotAsPinned, match=f"^aws-cdk@{cdk_cli.VERSION} is sha512-"):
        cdk_cli.install(tmp_path / "cdk" / cdk_cli.VERSION)

    assert list((tmp_path / "cdk").iterdir()) == []


def test_deploy_is_one_command_with_the_stage_as_its_value() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--silent", "deploy", "STAGE=prod", "CDK_ARGS=--ci"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == ".venv/bin/python -m infra.cdk_cli deploy --all --ci"
