"""Built folders: the same anywhere, with bytecode, and with a bill of what they hold."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.aws import build_layers, own_code
from infra.aws import lambda_python as interpreters
from infra.aws.bill_of_materials import Package, bill_of_materials, wheels_of
from infra.aws.built_folder import build_once, content_digest
from tests.infrastructure.built import layer
from tests.infrastructure.cloud import ROOT

LONG = pytest.mark.long
OTHERS = [name for name in build_layers.NAMES if name != "essentials"]
OWN = ["functions/predict", "layers/runtime"]
# A file in, a file out, as batch_parquet does it; and the values that other ways would change.
PARQUET = """
import io, json, sys
sys.path[:0] = sys.argv[1].split(":")
import numpy, pyarrow, pyarrow.parquet
from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.batch.results_parquet import ParquetResults
from headrace_runtime.codec.parquet_rows import open_parquet
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
class Stored:
    def __init__(self, body): self.body, self.size_bytes = body, len(body)
    def read_at(self, offset, size): return self.body[offset : offset + size]
x, t = TensorSpec("x", Datatype.FP32, (-1, 1)), TensorSpec("t", Datatype.BYTES, (-1,))
answered = {}
for compression in ("none", "snappy", "zstd", "gzip", "lz4", "brotli"):
    written = io.BytesIO()
    texts = pyarrow.array(["a", "\u00e9", "a", None]).dictionary_encode()
    table = pyarrow.table({"x": [1.5, None, 3.0, 4.0], "t": texts, "l": [[1], [], None, [2, 3]]})
    pyarrow.parquet.write_table(table, written, compression=compression)
    columns, records = open_parquet(Stored(written.getvalue()), Signature((x, t), (x,)))
    (read,) = records
    results = ParquetResults((x,), columns)
    body = results.encode(Answers(read.rows, read.tensors[:1], table=read.table)) + results.end(5)
    answered[compression] = pyarrow.parquet.read_table(io.BytesIO(body)).to_pydict()
files = [getattr(m, "__file__", None) or "" for n, m in sys.modules.items() if "pyarrow" in n]
print(json.dumps([answered, files]))
"""


@pytest.mark.parametrize("name", ["essentials", *(pytest.param(n, marks=LONG) for n in OTHERS)])
def test_a_layer_that_is_built_twice_has_one_digest(
    name: str, has_lambda_python: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # the wheels are here, or this fails
    standing = layer(name, bytecode=has_lambda_python)

    again = build_layers.build(name, bytecode=has_lambda_python, into=tmp_path)

    assert content_digest(again) == content_digest(standing)


@LONG
def test_a_template_is_the_same_whether_anything_was_built_or_not(
    lambda_python: Path, assembly: Path, tmp_path: Path
):
    for name in build_layers.NAMES:
        layer(name, bytecode=True)  # stands, so that nothing is fetched
    synth = [sys.executable, "-m", "infra.aws", "--outdir", str(tmp_path)]

    subprocess.run(synth, cwd=ROOT, check=True)

    templates = sorted(file.name for file in assembly.glob("*.template.json"))
    assert len(templates) == 2
    for name in templates:
        assert (tmp_path / name).read_bytes() == (assembly / name).read_bytes()


@pytest.mark.parametrize("folder", OWN)
def test_our_own_code_that_is_built_twice_has_one_digest(
    folder: str, lambda_python: Path, tmp_path: Path
):
    one = own_code.build(folder, into=tmp_path / "one")
    other = own_code.build(folder, into=tmp_path / "another, longer path")

    assert content_digest(one) == content_digest(other)


def test_the_digest_tells_content_names_modes_and_dates(tmp_path: Path):
    def build(name: str, text: str) -> Path:
        made = tmp_path / str(len(list(tmp_path.iterdir())))
        return build_once(made, lambda draft: (draft / name).write_text(text) and None)

    same, other_text, other_name = build("a", "1"), build("a", "2"), build("b", "1")
    first = content_digest(build("a", "1"))
    assert content_digest(same) == first
    (same / "a").chmod(0o755)

    assert len({first, *map(content_digest, (same, other_text, other_name))}) == 4


@pytest.mark.parametrize("folder", OWN)
def test_our_own_code_is_deployed_exactly_as_it_lies(
    folder: str, has_lambda_python: bool, tmp_path: Path
):
    def sources(of: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(of)): path.read_bytes()
            for path in of.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    built = own_code.build(folder, bytecode=has_lambda_python, into=tmp_path)

    assert sources(built) == sources(ROOT / folder)


def test_every_module_has_bytecode_that_is_used_whatever_its_date(lambda_python: Path):
    for folder in [layer(name, bytecode=True) for name in (*build_layers.NAMES, "runtime")]:
        for module in folder.rglob("*.py"):
            cached = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
            # An unchecked hash: the first of two flags alone.
            assert cached.read_bytes()[4:8] == b"\x01\0\0\0"


def test_no_two_layers_hold_the_same_file(has_lambda_python: bool):
    names = [
        str(path.relative_to(folder))
        for folder in (
            layer(n, bytecode=has_lambda_python) for n in (*build_layers.NAMES, "runtime")
        )
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", build_layers.NAMES)
def test_the_bill_of_a_layer_lists_what_is_in_it_and_nothing_else(
    name: str, has_lambda_python: bool
):
    folder = layer(name, bytecode=has_lambda_python)
    bill = json.loads((folder / "sbom" / f"{name}.cdx.json").read_text())

    listed = {(part["name"], part["version"]) for part in bill["components"]}

    facts = [path.name.removesuffix(".dist-info") for path in folder.glob("python/*.dist-info")]
    assert listed == {tuple(fact.replace("_", "-").lower().rsplit("-", 1)) for fact in facts}
    pins = (ROOT / "layers" / name / "requirements.txt").read_text()
    assert listed == set(re.findall(r"^([\w.-]+)==(\S+)", pins, re.MULTILINE))
    for part in bill["components"]:
        (wheel,) = part["hashes"]
        assert wheel["alg"] == "SHA-256"
        assert f"--hash=sha256:{wheel['content']}" in pins
        assert part["licenses"][0].get("expression") or part["licenses"][0]["license"]["name"]


def test_parquet_is_read_and_written_by_what_is_left_of_its_library(lambda_python: Path):
    names = ("runtime", "essentials", "files", "parquet")
    path = ":".join(str(layer(name, bytecode=True) / "python") for name in names)
    command = [str(lambda_python), "-I", "-S", "-B", "-c", PARQUET, path]

    done = subprocess.run(command, cwd="/", env={}, check=False, capture_output=True, text=True)

    assert done.stderr == ""
    answered, files = json.loads(done.stdout)
    # The second row has no x, the fourth no t.
    expected = {"x": [1.5, 3.0], "t": ["a", "a"], "l": [[1], None], "x_output": [1.5, 3.0]}
    codecs = ("none", "snappy", "zstd", "gzip", "lz4", "brotli")
    assert answered == dict.fromkeys(codecs, expected)
    assert {file.startswith(path.rsplit(":", 1)[-1]) for file in files if file} == {True}


def test_a_bill_has_the_shape_of_cyclonedx_1_6():
    numpy = Package("numpy", "2.5.5", "BSD-3-Clause", licence_is_spdx=True, wheel_sha256="ab" * 32)
    old = Package("old", "1.0", "MIT License", licence_is_spdx=False, wheel_sha256="cd" * 32)

    bill = json.loads(bill_of_materials("inference", [numpy, old]))

    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert bill | {"serialNumber": "", "components": bill["components"][:1]} == {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": "inference",
                "group": "headrace",
                "name": "inference",
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": "pkg:pypi/numpy@2.5.5",
                "name": "numpy",
                "version": "2.5.5",
                "purl": "pkg:pypi/numpy@2.5.5",
                "licenses": [{"expression": "BSD-3-Clause"}],
                "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
            }
        ],
        "dependencies": [
            {"ref": "inference", "dependsOn": ["pkg:pypi/numpy@2.5.5", "pkg:pypi/old@1.0"]}
        ],
    }
    assert bill["components"][1]["licenses"] == [{"license": {"name": "MIT License"}}]


@pytest.mark.parametrize("archive", [{"hashes": {"sha256": "ab"}}, {"hash": "sha256=ab"}])
def test_the_wheel_of_a_package_is_read_from_either_spelling_of_pips_report(archive: dict):
    item = {"metadata": {"name": "ml_dtypes"}, "download_info": {"archive_info": archive}}

    assert wheels_of({"install": [item]}) == {"ml-dtypes": "ab"}


def test_who_has_no_python_of_lambdas_version_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HEADRACE_PYTHON313", "/nowhere/python")

    with pytest.raises(interpreters.NoLambdaPython) as missing:
        own_code.build("functions/predict", into=tmp_path)

    assert "HEADRACE_PYTHON313=/nowhere/python is not CPython 3.13" in str(missing.value)
    assert "uv python install 3.13" in str(missing.value)
    assert list(tmp_path.rglob("*.py")) == []
