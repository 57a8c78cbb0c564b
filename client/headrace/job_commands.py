"""Commands about jobs: jobs, job, cancel, results."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from headrace.job_ends import download, wait_shown
from headrace.session import client_of
from headrace.text_table import aligned

if TYPE_CHECKING:
    from headrace.job_records import Job, State

STATES = ("queued", "running", "succeeded", "partial", "failed", "cancelled")
_COLUMNS = ("job", "state", "model", "created (UTC)", "file", "rows", "failed")


@click.command()
@click.option("--model", help="Jobs of one model.  [default: all]")
@click.option("--state", type=click.Choice(STATES), help="Jobs in one state.  [default: any]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many at most, the newest first.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def jobs(
    ctx: click.Context, *, model: str | None, state: "State | None", limit: int, as_json: bool
) -> None:
    """List jobs, the newest first."""
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    found = list(client_of(ctx).jobs(model, state, limit=limit))
    if as_json:
        click.echo(json.dumps([asdict(job) for job in found]))
    else:
        click.echo("\n".join(_table(found)) if found else "there is no such job")


@click.command()
@click.argument("job_id", metavar="ID")
@click.pass_context
def job(ctx: click.Context, job_id: str) -> None:
    """Print how the job ID stands, as JSON."""
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    click.echo(json.dumps(asdict(client_of(ctx).job(job_id))))


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
@click.option("--timeout", "timeout_s", default=600.0, show_default=True, help="Seconds to wait.")
@click.pass_context
def cancel(ctx: click.Context, job_id: str, *, wait: bool, timeout_s: float) -> None:
    """Let the job ID end now. What is done by then stays as its results.

    With --wait, exits with status 1 if it ended otherwise before it could be cancelled.
    """
    client = client_of(ctx)
    asked = client.cancel(job_id)
    click.echo(f"{job_id} is {'cancelled' if asked.ended else 'being cancelled'}")
    if wait:
        ended = wait_shown(client, job_id, records=asked.rows_in, timeout_s=timeout_s)
        ctx.exit(0 if ended.state == "cancelled" else 1)


@click.command()
@click.argument("job_id", metavar="ID")
@click.option(
    "-o", "--output", "folder", default=".", show_default=True, help="The folder to write to."
)
@click.pass_context
def results(ctx: click.Context, job_id: str, folder: str) -> None:
    """Download what the ended job ID left, check it, and print the paths of the files."""
    download(client_of(ctx), job_id, folder)


def _table(found: "Iterable[Job]") -> list[str]:
    return aligned([_COLUMNS, *map(_row, found)], left=5)


def _row(job: "Job") -> tuple[str, ...]:
    return (
        job.job_id,
        job.state,
        "-" if not job.model else f"{job.model} {job.version or '-'}",
        (job.created_at or "-")[:19],
        job.source.rpartition("/")[2],
        f"{job.rows_in:,}",
        f"{job.rows_failed:,}",
    )
