"""cdk-nag's AwsSolutions and Serverless packs find nothing that is not acknowledged."""

import json
from pathlib import Path

import pytest

from infra.aws.acknowledgements import ACKNOWLEDGEMENTS, Acknowledgement, Finding


@pytest.fixture(scope="session")
def findings(everything: Path) -> list[Finding]:
    return [Finding(**one) for one in json.loads((everything / "findings.json").read_text())]


def test_every_finding_is_acknowledged(findings: list[Finding]):
    assert [f for f in findings if not any(a.covers(f) for a in ACKNOWLEDGEMENTS)] == []


@pytest.mark.parametrize("acknowledged", ACKNOWLEDGEMENTS, ids=lambda a: a.rule)
def test_every_acknowledgement_is_still_needed(
    findings: list[Finding], acknowledged: Acknowledgement
):
    assert any(acknowledged.covers(finding) for finding in findings)


def test_both_packs_were_asked(findings: list[Finding]):
    assert {f.rule.split("-")[0] for f in findings} == {"AwsSolutions", "Serverless"}
