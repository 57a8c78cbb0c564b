"""The client that a command works with, made from the group's options when it is first needed."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from headrace.client import Client


def client_of(ctx: click.Context) -> "Client":
    """Return a client for --url or $HEADRACE_URL; it is closed with the command.

    Raises:
        UsageError: neither is given.
    """
    from headrace.client import Client  # noqa: PLC0415 - `--help` answers without numpy and httpx

    options = ctx.find_root().obj
    if not options["url"]:
        raise click.UsageError(
            "which service? Give --url, or set HEADRACE_URL (`make up` prints it for the local one)"
        )
    return ctx.with_resource(Client(options["url"], options["api_key"]))
