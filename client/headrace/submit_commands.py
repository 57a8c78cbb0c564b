"""Commands that make jobs of files: submit, retry, plan."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headrace.job_ends import finish, wait_shown
from headrace.session import client_of
from headrace.text_table import aligned

if TYPE_CHECKING:
    from headrace.job_records import Plan, Submitted, Written
    from headrace.placement_records import Considered

_deadline = click.option(
    "--deadline",
    "deadline_s",
    type=click.IntRange(1, 604_800),
    metavar="SECONDS",
    help="In so many seconds it should have ended.  [default: it has time]",
)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--model", required=True, help="The model that answers every record.")
@click.option("--version", help="A version, or an alias.  [default: the alias live]")
@click.option("--predictions", is_flag=True, help="Results without the input's own columns.")
@click.option("--webhook", metavar="URL", help="Is called once the job has ended.")
@_deadline
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
    predictions: bool,
    webhook: str | None,
    deadline_s: int | None,
    wait: bool,
    folder: str | None,
    timeout_s: float,
) -> None:
    """Send the FILE of records to a model, and print the id of its job.

    It is CSV, TSV, JSON Lines, Parquet, NPY, NPZ or an infer request, perhaps under gzip or zstd.
    With --wait, says on stderr how it ended, and exits with status 1 if the job failed. Records
    that failed by themselves do not fail the job: they are counted, and listed in its errors.
    """
    client = client_of(ctx)
    results: Written = "predictions" if predictions else "joined"
    job_id = client.submit(
        file, model, version, results=results, webhook=webhook, deadline_s=deadline_s
    )
    _show(job_id)
    if wait or folder is not None:
        ended = wait_shown(client, job_id, records=_records(file), timeout_s=timeout_s)
        finish(ctx, client, ended, folder)


@click.command()
@click.argument("job_id", metavar="ID")
@click.option("--failed-rows", is_flag=True, help="The records that have no answer; needed.")
@click.option("--version", help="Who answers now.  [default: who answered the others]")
@_deadline
@click.option("--wait", is_flag=True, help="Wait for the end, with a progress bar.")
@click.option("-o", "--output", "folder", help="Download the results there; implies --wait.")
@click.option("--timeout", "timeout_s", default=3600.0, show_default=True, help="Seconds to wait.")
@click.pass_context
def retry(
    ctx: click.Context,
    *,
    job_id: str,
    failed_rows: bool,
    version: str | None,
    deadline_s: int | None,
    wait: bool,
    folder: str | None,
    timeout_s: float,
) -> None:
    """Send the records of the job ID that failed once more, and print the id of the new job.

    They are a file of their own, numbered from 1. All else is as for `headrace submit`.
    """
    if not failed_rows:
        raise click.UsageError("what is to be tried again? Give --failed-rows")
    client = client_of(ctx)
    again = client.retry_failed(job_id, version, deadline_s=deadline_s)
    _show(again)
    if wait or folder is not None:
        failed = client.job(job_id).rows_failed
        ended = wait_shown(client, again, records=failed, timeout_s=timeout_s)
        finish(ctx, client, ended, folder)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--model", required=True, help="The model that would answer every record.")
@click.option("--version", help="A version, or an alias.  [default: the alias live]")
@_deadline
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def plan(
    ctx: click.Context,
    *,
    file: str,
    model: str,
    version: str | None,
    deadline_s: int | None,
    as_json: bool,
) -> None:
    """Say where the FILE's job would run and why, and what it would take. It is not sent."""
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    planned = client_of(ctx).plan(file, model, version, deadline_s=deadline_s)
    said = [*_table(planned), "", planned.reason]
    click.echo(json.dumps(asdict(planned)) if as_json else "\n".join(said))


def _table(planned: "Plan") -> list[str]:
    return aligned(
        [
            ("model", f"{planned.model} {planned.version}"),
            ("rows", f"{planned.rows:,}"),
            ("shards", f"{planned.shards:,}"),
            ("at one time", f"{planned.concurrency:,}"),
            ("seconds", f"{planned.seconds:,.0f}"),
            ("cost USD", f"{planned.estimated_cost_usd:.6f}"),
            ("runs on", planned.placement),
            *((f"or {one.placement}", _took(one)) for one in planned.considered[1:]),
        ]
    )


def _took(elsewhere: "Considered") -> str:
    return f"{elsewhere.seconds:,.0f} s, USD {elsewhere.estimated_cost_usd:.6f}"


def _show(job_id: "Submitted") -> None:
    click.echo(job_id)
    if job_id.webhook_secret:
        click.echo(f"webhook secret, shown this once: {job_id.webhook_secret}", err=True)


def _records(file: str) -> int:
    """Return how many records a file has; 0 where that cannot be told, as the service will say."""
    from headrace.row_count import counted  # noqa: PLC0415 - as in `client_of`
    from headrace_runtime.errors import InvalidInput  # noqa: PLC0415

    try:
        return counted(Path(file)).rows
    except InvalidInput:
        return 0
