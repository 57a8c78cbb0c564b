"""What a layer is made of, as a CycloneDX 1.6 document.

Written by hand: the standard's own library would be one more dependency, for forty lines. The
document tells no date and no machine, so that the same layer has the same one.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Package:
    """One distribution in a layer.

    Attributes:
        name: as the package index writes it: lower case, hyphens.
        licence: an SPDX expression, or the licence's name where the package gives no expression.
        wheel_sha256: of the wheel that was unpacked; hexadecimal.
    """

    name: str
    version: str
    licence: str
    licence_is_spdx: bool
    wheel_sha256: str

    @property
    def purl(self) -> str:
        """The package's address as vulnerability databases spell it."""
        return f"pkg:pypi/{self.name}@{self.version}"


def packages(folder: Path, wheels: Mapping[str, str]) -> list[Package]:
    """Return what is installed in *folder*, by name.

    Args:
        folder: a layer's `python` folder.
        wheels: the SHA-256 of each package's wheel, by the package's name.

    Raises:
        KeyError: a package is installed whose wheel is not known.
    """
    found = []
    for installed in distributions(path=[str(folder)]):
        name = _normal(installed.metadata["Name"])
        licence, is_spdx = _licence(installed)
        found.append(Package(name, installed.version, licence, is_spdx, wheels[name]))
    return sorted(found, key=lambda package: package.name)


def wheels_of(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each wheel in pip's installation report, by the package's name."""
    return {
        _normal(item["metadata"]["name"]): _sha256(item["download_info"]["archive_info"])
        for item in report["install"]
    }


def bill_of_materials(layer: str, held: Iterable[Package]) -> str:
    """Return the CycloneDX document of *layer* as JSON text."""
    components = [_component(package) for package in held]
    # The same contents have the same number, as the standard asks of a document's versions.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, layer + json.dumps(components))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {"type": "library", "bom-ref": layer, "group": "headrace", "name": layer}
        },
        "components": components,
        "dependencies": [{"ref": layer, "dependsOn": [c["bom-ref"] for c in components]}],
    }
    return json.dumps(document, indent=2) + "\n"


def _component(package: Package) -> dict[str, Any]:
    if package.licence_is_spdx:
        licence: dict[str, Any] = {"expression": package.licence}
    else:
        licence = {"license": {"name": package.licence}}
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [licence],
        "hashes": [{"alg": "SHA-256", "content": package.wheel_sha256}],
    }


def _licence(installed: Distribution) -> tuple[str, bool]:
    facts = installed.metadata
    if "License-Expression" in facts:
        return facts["License-Expression"], True
    named = facts["License"] if "License" in facts else "unknown"  # noqa: SIM401 - it has no `get`
    return named.splitlines()[0], False


def _sha256(archive: Mapping[str, Any]) -> str:
    # The older spelling is all that the pip of Python 3.11's first release writes.
    return str(archive.get("hashes", {}).get("sha256") or archive["hash"].removeprefix("sha256="))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
