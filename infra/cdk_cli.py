"""The CDK's own command line, of one exact version, on the pinned Node.js.

`python -m infra.cdk_cli install` fetches it once, from the registry that npm is configured with,
and keeps it only if it is to the bit what is pinned here. Anything else is handed over to it:
`python -m infra.cdk_cli deploy --all`. It needs no `npx`, and nothing else of npm's: the package
has no dependencies.
"""

import base64
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.aws.node import use_pinned_node

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "aws-cdk"
# The version that `latest` named for a while, 3.0.0, reads no assembly of today's.
VERSION = "2.1148.1"
# As `npm view aws-cdk@<version> dist.integrity` tells.
INTEGRITY = (
    "sha512-K3d02L17IwmAuiBWNuX1DzYhKUs9GrKYI7bZnGJfJ1bK"
    "z9ymXFxfudBOL3rUb8JAusDNSULiQU2fsJH7kyY2XA=="
)
FOLDER = ROOT / ".cache" / "cdk-cli" / VERSION
_ENTRY = FOLDER / "package" / "bin" / "cdk"

_QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "1",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    "NODE_NO_WARNINGS": "1",
}


class NotAsPinned(Exception):
    """What the registry sent is another package than the pinned one."""

    def __init__(self, found: str) -> None:
        super().__init__(f"{PACKAGE}@{VERSION} is {found}, not {INTEGRITY} as pinned.")


def main() -> int:
    """Install it, or run it; return its exit status."""
    if sys.argv[1:] == ["install"]:
        install()
        return 0
    if not _ENTRY.exists():
        sys.stderr.write("The CDK's command line is not installed: `make cdk-cli` does it.\n")
        return 1
    return subprocess.run(
        command(sys.argv[1:]), env=environment(os.environ), cwd=ROOT, check=False
    ).returncode


def command(arguments: Sequence[str]) -> list[str]:
    """Return what runs the installed command line with arguments of its own."""
    return [_node(), str(_ENTRY), *arguments]


def environment(of: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to run it with, beside the caller's."""
    return {**_QUIET, **of}


def install(folder: Path = FOLDER) -> None:
    """Put the pinned package into a folder, unless it is there.

    Raises:
        NotAsPinned: the registry sent something else. Nothing was kept.
        CalledProcessError: npm failed.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as fetched:
        subprocess.run(
            [*_npm(), "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", fetched],
            cwd=fetched,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        archive = next(Path(fetched).glob("*.tgz"))
        digest = hashlib.sha512(archive.read_bytes()).digest()
        found = f"sha512-{base64.b64encode(digest).decode()}"
        if found != INTEGRITY:
            raise NotAsPinned(found)
        unpacked = Path(fetched) / "unpacked"
        with tarfile.open(archive) as package:
            package.extractall(unpacked, filter="data")
        unpacked.rename(folder)


def _node() -> str:
    use_pinned_node()
    return os.environ.get("JSII_NODE", "node")


def _npm() -> list[str]:
    node = Path(_node())
    program = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(program)] if program.exists() else ["npm"]


if __name__ == "__main__":
    sys.exit(main())
