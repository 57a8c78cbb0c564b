"""The table of AWS's Triton images, and how it is held against AWS's own list."""

import copy
import re

import pytest

from infra.aws.triton_images import TRITON, TritonImages, differences

KNOWN = TritonImages(
    as_of="2026-11-26",
    version="26.05",
    repository="sagemaker-tritonserver",
    tag="26.05-py3",
    accounts={"eu-west-1": "763104351884", "me-south-1": "217643126080"},
)
# As AWS tells it, shortened.
TOLD = {
    "processors": ["cpu", "gpu"],
    "scope": ["inference"],
    "versions": {
        "25.09": {
            "registries": {"eu-west-1": "763104351884", "cn-north-1": "727897471807"},
            "repository": "sagemaker-tritonserver",
            "tag_prefix": "25.09-py3",
        },
        "26.05": {
            "registries": {"eu-west-1": "763104351884", "me-south-1": "217643126080"},
            "repository": "sagemaker-tritonserver",
            "tag_prefix": "26.05-py3",
        },
    },
}


def test_a_table_that_is_aws_own_differs_in_nothing():
    assert differences(KNOWN, TOLD) == []


def test_a_newer_version_is_told():
    told = copy.deepcopy(TOLD)
    told["versions"]["26.10"] = told["versions"]["26.05"]
    assert differences(KNOWN, told) == ["There is a newer version, 26.10; the table has 26.05."]


def test_versions_are_compared_as_numbers():
    told = copy.deepcopy(TOLD)
    told["versions"]["9.12"] = told["versions"]["25.09"]
    assert differences(KNOWN, told) == []


def test_what_aws_changed_in_the_same_version_is_told():
    told = copy.deepcopy(TOLD)
    same = told["versions"]["26.05"]
    same["tag_prefix"] = "26.05-py4"
    same["registries"] = {"eu-west-1": "000000000000", "ap-east-1": "871362719292"}
    assert differences(KNOWN, told) == [
        "The tag is 26.05-py4; the table has 26.05-py3.",
        "In ap-east-1 the account is 871362719292; the table: None.",
        "In eu-west-1 the account is 000000000000; the table: 763104351884.",
        "In me-south-1 the account is None; the table: 217643126080.",
    ]


def test_a_version_that_aws_took_back_is_told():
    told = {"versions": {"26.10": TOLD["versions"]["26.05"]}}
    assert differences(KNOWN, told) == [
        "There is a newer version, 26.10; the table has 26.05.",
        "AWS has no version 26.05 any more.",
    ]


def test_the_table_is_dated_and_names_accounts_of_regions():
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", TRITON.as_of)
    assert TRITON.tag == f"{TRITON.version}-py3"
    for region, account in TRITON.accounts.items():
        assert re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region)
        assert re.fullmatch(r"\d{12}", account)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-1"])
def test_most_regions_share_an_account(region: str):
    assert TRITON.accounts[region] == "763104351884"
