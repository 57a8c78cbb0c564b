"""Commands about files and jobs: submit, job, results."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headrace.session import client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from headrace.records import Job


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--model", required=True, help="The model that answers every record.")
@click.option("--version", help="A version, or an alias.  [default: the alias live]")
@click.option("--wait", is_flag=True, help="Wait for the end, with a progress bar.")
@click.option("-o", "--output", "folder", help="Download the results there; implies --wait.")
@click.option("--timeout", "timeout_s", default=3600.0, show_default=True, help="Seconds to wait.")
@click.pass_context
def submit(
    ctx: click.Context,
    *,
    file: str,
    model: str,
    version: str | None,
    wait: bool,
    folder: str | None,
    timeout_s: float,
) -> None:
    """Send the CSV or JSON Lines FILE to a model, and print the id of its job.

    With --wait, says on stderr how it ended, and exits with status 1 if the job failed. Records
    that failed by themselves do not fail the job: they are counted, and listed in its errors.
    """
    client = client_of(ctx)
    job_id = client.submit(file, model, version)
    click.echo(job_id)
    if not wait and folder is None:
        return
    with click.progressbar(length=_records(file), label=model, file=sys.stderr) as bar:
        ended = client.wait(job_id, timeout_s=timeout_s, on_progress=_show_on(bar))
    click.echo(_told(ended), err=True)
    if folder is not None and ended.state in ("succeeded", "partial"):
        _download(client, job_id, folder)
    ctx.exit(0 if ended.state in ("succeeded", "partial") else 1)


@click.command()
@click.argument("job_id")
@click.pass_context
def job(ctx: click.Context, job_id: str) -> None:
    """Print how a job stands, as JSON."""
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    click.echo(json.dumps(asdict(client_of(ctx).job(job_id))))


@click.command()
@click.argument("job_id")
@click.option(
    "-o", "--output", "folder", default=".", show_default=True, help="The folder to write to."
)
@click.pass_context
def results(ctx: click.Context, job_id: str, folder: str) -> None:
    """Download what an ended job left, and print the paths of the files."""
    _download(client_of(ctx), job_id, folder)


def _download(client: Any, job_id: str, folder: str) -> None:
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


def _records(file: str) -> int:
    """Return about how many records a file has: its lines, whatever stands in them."""
    with Path(file).open("rb") as content:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: content.read(1 << 20), b""))
