"""The first admin, made with AWS credentials."""

import sys

import boto3
import pytest

from headrace_runtime.access.policy import Action
from headrace_runtime.aws.policy_book import PolicyBook
from infra import first_key


@pytest.fixture
def run(aws, monkeypatch, capsys):
    """Run the command; give exit status, stdout and stderr."""

    def ran(*words):
        monkeypatch.setattr(sys, "argv", ["first_key", "--table", "access", *words])
        return first_key.main(), *capsys.readouterr()

    return ran


@pytest.fixture
def book(aws):
    return PolicyBook("access", dynamodb=boto3.client("dynamodb"))


def test_the_first_key_is_good_and_may_do_everything(run, book, function, event, context):
    status, said, _ = run()

    key = said.strip()
    asked = event("authorise.call", headers={"x-api-key": key})
    caller = function("authorise").lambda_handler(asked, context)["context"]
    assert status == 0
    assert caller["principal"] == f"key:{key[3:19]}"
    assert book.get("admin").subjects == (caller["principal"],)
    assert book.get("admin").actions == frozenset(Action)
    listed = event("grant.keys", subject=caller["principal"])
    assert function("grant").lambda_handler(listed, context)["statusCode"] == 200


def test_each_run_makes_another_key_and_takes_none_away(run, book):
    first, second = run()[1].strip(), run("--name", "second")[1].strip()

    assert book.get("admin").subjects == (f"key:{first[3:19]}", f"key:{second[3:19]}")


def test_a_role_becomes_admin_without_a_key(run, book):
    role = "iam:arn:aws:iam::123456789012:role/Admin"

    assert run("--subject", role) == (0, "", "")
    assert run("--subject", role) == (0, "", "")

    assert book.get("admin").subjects == (role,)


def test_what_is_no_subject_is_refused_in_a_sentence(run):
    status, said, why = run("--subject", "everybody")

    assert (status, said) == (1, "")
    assert why.startswith("'everybody' is no subject: it is key:<id>, ")
