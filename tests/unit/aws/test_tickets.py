"""What a submitter asked for waits for the file, as long as one can come."""

import boto3
import pytest

from headrace_runtime.aws.tickets import KEPT_S, Ticket, Tickets, is_ticketed
from headrace_runtime.batch.webhook import Webhook

KEY = f"inbox/digits@live/{'0a' * 16}/rows.csv"
WEBHOOK = Webhook("https://hooks.example.com/", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")


@pytest.fixture
def clock():
    return [1_795_000_000.0]


@pytest.fixture
def tickets(aws, clock):
    return Tickets("jobs", dynamodb=boto3.client("dynamodb"), clock=lambda: clock[0])


@pytest.mark.parametrize(
    "ticket", [Ticket(), Ticket(joined=False), Ticket(webhook=WEBHOOK), Ticket(deadline_s=600)]
)
def test_a_ticket_comes_back_as_it_was_put(tickets, ticket):
    tickets.put(KEY, ticket)

    assert tickets.of(KEY) == ticket


def test_a_key_without_a_ticket_has_none(tickets):
    assert tickets.of(KEY) is None


def test_a_ticket_that_has_expired_is_none_though_it_is_there(tickets, clock):
    """F40."""
    tickets.put(KEY, Ticket())
    clock[0] += KEPT_S - 1
    assert tickets.of(KEY) is not None

    clock[0] += 1
    assert tickets.of(KEY) is None


def test_a_ticket_does_not_show_its_secret():
    assert WEBHOOK.secret not in repr(Ticket(webhook=WEBHOOK))


@pytest.mark.parametrize(
    ("key", "ticketed"),
    [
        (KEY, True),
        (KEY + " b+ü%\n", True),
        ("inbox/digits/rows.csv", False),
        (f"inbox/digits/{'0a' * 15}/rows.csv", False),
        (f"inbox/digits/{'0A' * 16}/rows.csv", False),
        (f"inbox/digits/{'0a' * 16}/", False),
        (f"inbox/digits/{'0a' * 16}/more/rows.csv", False),
        (f"digits/{'0a' * 16}/rows.csv", False),
    ],
)
def test_keys_of_uploads_are_known_by_their_form(key, ticketed):
    assert is_ticketed(key) is ticketed
