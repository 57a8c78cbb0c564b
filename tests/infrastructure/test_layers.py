"""What functions import: which layers they see, and what is in a layer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.aws import build_layers
from infra.aws.layer_trim import trim
from tests.infrastructure.cloud import ROOT, Cloud

HANDLERS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
# Comes with Lambda's Python; `headrace` is this repository itself.
PROVIDED = {
    "boto3",
    "headrace",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
}
# Imports a handler where every other package that is installed here seems not to be.
PROBE = """
import importlib, importlib.metadata, re, sys
handler, *held = sys.argv[1:]
homes = importlib.metadata.packages_distributions()
class OnlyWhatIsHeld:
    def find_spec(name, path=None, target=None):
        homes_of = homes.get(name, [])
        plain = {re.sub("[-_.]+", "-", home).lower() for home in homes_of}
        if plain and not plain & {*held}:
            raise ModuleNotFoundError(f"No module named {name!r} in the layers", name=name)
sys.meta_path.insert(0, OnlyWhatIsHeld)
importlib.import_module(handler)
"""


def test_no_function_sees_more_layers_than_lambda_allows(cloud: Cloud):
    for function in cloud.functions:
        layers = cloud.layers_of(function)
        assert len(set(layers)) == len(layers) <= 5


def test_only_who_reads_parquet_carries_what_it_takes(cloud: Cloud):
    carrying = {f for f in cloud.functions if "parquet" in cloud.layers_of(f)}
    assert carrying == {"batch_parquet", "hand_off", "collect"}
    others = set(cloud.layers_of("batch_parquet")) - {"parquet"}
    assert others == set(cloud.layers_of("batch"))


def test_every_function_sees_the_runtime_and_what_all_of_them_import(cloud: Cloud):
    for function in cloud.functions:
        assert {"runtime", "essentials"} <= set(cloud.layers_of(function))


@pytest.mark.parametrize("function", HANDLERS)
def test_a_handler_imports_only_what_its_layers_hold(cloud: Cloud, function: str):
    held = PROVIDED.union(*(_pins(layer) for layer in cloud.layers_of(function)))
    environment = cloud.environment(function) | {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-c", PROBE, f"functions.{function}.handler", *held]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("layer", build_layers.NAMES)
def test_a_layer_holds_the_versions_that_the_tests_run_with(layer: str):
    tested = _pins_of(ROOT / "requirements" / "dev.txt")
    for name, versions in _pins(layer).items():
        assert versions <= tested[name]


def test_no_two_layers_hold_the_same_package():
    names = [name for layer in build_layers.NAMES for name in _pins(layer)]
    assert len(set(names)) == len(names)


def test_every_pin_has_hashes_and_names_no_index():
    files = [*ROOT.glob("requirements/*.txt"), *ROOT.glob("layers/*/requirements.txt")]
    assert len(files) == 4 + len(build_layers.NAMES)
    for file in files:
        text = file.read_text()
        assert "://" not in text
        assert not re.search(r"^\s*--(index|extra-index|find-links|trusted)", text, re.MULTILINE)
        for pin in re.split(r"\n(?=\S)", text):
            assert pin.startswith("#") or "--hash=sha256:" in pin


def test_other_pins_or_another_platform_make_another_layer():
    digests = {
        build_layers.digest(name, architecture)
        for name in build_layers.NAMES
        for architecture in build_layers.ARCHITECTURES
    }
    assert len(digests) == len(build_layers.NAMES) * len(build_layers.ARCHITECTURES)


def test_a_built_layer_keeps_code_and_licences_and_drops_what_never_runs(tmp_path: Path):
    kept = [
        "numpy/__init__.py",
        "numpy/testing/__init__.py",
        "onnxruntime/capi/onnxruntime_pybind11_state.so",
        "numpy-2.5.5.dist-info/METADATA",
        "numpy-2.5.5.dist-info/licenses/LICENSE.txt",
    ]
    dropped = [
        "bin/f2py",
        "numpy/linalg/tests/test_linalg.py",
        "numpy/__init__.pyi",
        "numpy/__pycache__/__init__.cpython-313.pyc",
        "onnxruntime/capi/libonnxruntime.so.1.32.0",
        "onnxruntime/transformers/optimizer.py",
        "numpy-2.5.5.dist-info/RECORD",
    ]
    for name in kept + dropped:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    trim(tmp_path)

    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == set(kept)


def _pins(layer: str) -> dict[str, set[str]]:
    file = ROOT / "layers" / layer / "requirements.txt"
    return _pins_of(file) if file.exists() else {}


def _pins_of(file: Path) -> dict[str, set[str]]:
    """The versions of each package in *file*; there may be one for older Pythons."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", file.read_text(), re.MULTILINE):
        pins.setdefault(_normal(name), set()).add(version)
    return pins


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
