"""The first admin: a key that may do everything, made with AWS credentials instead of a key.

Whoever may write the access table may let themselves in; so this asks for nothing else. It is
also the way back in when the last admin's key is lost, or the policy `admin` was deleted. Where
callers are known by a signature or a token, `--subject` makes one of them an admin, and no key.
"""

import argparse
import secrets
import sys
from dataclasses import replace
from datetime import UTC, datetime

import boto3

from headrace_runtime.access.api_key import DRAW_BYTES, NewKey
from headrace_runtime.access.key_facts import KeyFacts, moment
from headrace_runtime.access.policy import EVERY_MODEL, Action, Policy
from headrace_runtime.aws.keys import KeyBook
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.errors import HeadraceError, NotFound

ADMIN = "admin"


def main() -> int:
    """Do what the command line asks; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.first_key", description=__doc__)
    parser.add_argument("--table", required=True, help="the stack's output AccessTable")
    parser.add_argument("--name", default="first key", help="what people call the key")
    parser.add_argument("--subject", help="an admin who has no key: iam:<arn>, sub:<subject>")
    asked = parser.parse_args()
    dynamodb = boto3.client("dynamodb")
    try:
        if asked.subject:
            make_admin(PolicyBook(asked.table, dynamodb=dynamodb), asked.subject)
            return 0
        new = NewKey.drawn(secrets.token_bytes(DRAW_BYTES))
        facts = KeyFacts(new.key_id, asked.name, new.kept, moment(datetime.now(UTC)))
        KeyBook(asked.table, dynamodb=dynamodb).add(facts)
        make_admin(PolicyBook(asked.table, dynamodb=dynamodb), f"key:{new.key_id}")
    except HeadraceError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 1
    sys.stdout.write(f"{new.text}\n")
    return 0


def make_admin(book: PolicyBook, subject: str) -> None:
    """Let the policy `admin` give everything on every model to *subject* too.

    Raises:
        UnfitInput: it is no subject, or the policy names too many; nothing was written.
    """
    everything = Policy(ADMIN, (subject,), frozenset(Action), (EVERY_MODEL,))
    try:
        others = book.get(ADMIN).subjects
    except NotFound:
        others = ()
    book.put(replace(everything, subjects=tuple(dict.fromkeys((*others, subject)))))


if __name__ == "__main__":
    sys.exit(main())
