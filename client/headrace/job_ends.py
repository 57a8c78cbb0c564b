"""A command's wait for the end of a job: a progress bar, how it ended, its files."""

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.client import Client
    from headrace.job_records import Job

_GOOD = ("succeeded", "partial")


def wait_shown(client: "Client", job_id: str, *, records: int, timeout_s: float) -> "Job":
    """Return a job once it has ended; a bar of so many records, and how it ended, are on stderr."""
    with click.progressbar(length=records, label="records", file=sys.stderr) as bar:
        ended = client.wait(job_id, timeout_s=timeout_s, on_progress=_show_on(bar))
    click.echo(_told(ended), err=True)
    return ended


def finish(ctx: click.Context, client: "Client", ended: "Job", folder: str | None) -> None:
    """Download the results if a folder is given, and exit: with status 1 if the job failed."""
    if folder is not None and ended.state in _GOOD:
        download(client, ended.job_id, folder)
    ctx.exit(0 if ended.state in _GOOD else 1)


def download(client: "Client", job_id: str, folder: str) -> None:
    """Download what a job left, and print the paths."""
    for path in client.results(job_id, folder):
        click.echo(path)


def _told(ended: "Job") -> str:
    rows = f"{ended.rows_ok:,} of {ended.rows_in:,} records answered, {ended.rows_failed:,} failed"
    return f"{ended.state}: {ended.error or rows}"


def _show_on(bar: Any) -> "Callable[[Job], None]":
    """Return what moves the bar to the records that a job has behind it."""

    def show(job: "Job") -> None:
        # A job that is tried again begins anew; the bar waits for it where it was.
        behind = bar.length if job.ended else min(job.rows_in, bar.length)
        bar.update(max(0, behind - bar.pos))

    return show
