"""The command about metrics: how the service fared."""

import json
import re
from typing import TYPE_CHECKING

import click

from headrace.session import client_of
from headrace.text_table import aligned

if TYPE_CHECKING:
    from headrace.metrics import Figures, Metrics

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_COLUMNS = (
    "requests",
    "errors",
    "p50 ms",
    "p99 ms",
    "mean ms",
    "max ms",
    "cold",
    "rows",
    "cost USD",
)


def _seconds(_: click.Context, __: click.Parameter, value: str) -> int:
    """Return a span of time, written `90s`, `15m`, `1h` or `14d`, in seconds."""
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no span: write 90s, 15m, 1h or 14d")
    return int(found[1]) * _UNITS_S[found[2]]


@click.command()
@click.option("--model", help="One model alone.  [default: all]")
@click.option(
    "--since",
    "since_s",
    callback=_seconds,
    default="1h",
    show_default=True,
    help="90s, 15m, 1h, 14d.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all that is known.")
@click.pass_context
def metrics(ctx: click.Context, *, model: str | None, since_s: int, as_json: bool) -> None:
    """Show how the service fared: requests, errors, latency, cold starts, rows, cost.

    A - stands where nothing is known: percentiles are CloudWatch's own, so the local cloud has
    none. The last minute or two may not be in it yet.
    """
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    found = client_of(ctx).metrics(model, since_s=since_s)
    click.echo(json.dumps(asdict(found)) if as_json else "\n".join(_table(found)))


def _table(found: "Metrics") -> list[str]:
    rows: list[tuple[str, ...]] = [("", *_COLUMNS)]
    rows += [_row(figures) for figures in (*found.functions, *found.versions)]
    lines = [f"{found.since[:19]} to {found.until[:19]} UTC"]
    if len(rows) > 1:
        lines += aligned(rows)
    else:
        lines.append("nothing was called")
    lines += [_code(figures) for figures in found.codes]
    return lines


def _row(figures: "Figures") -> tuple[str, ...]:
    totals, spread = figures.totals, figures.times.get("latency_ms")
    times: list[float | None] = [None] * 4
    if spread is not None:
        times = [spread.p50, spread.p99, spread.average, spread.maximum]
    cost = totals.get("estimated_cost_usd")
    return (
        _name(figures),
        f"{totals['requests']:,}" if "requests" in totals else "-",
        f"{totals.get('errors', 0):,}",
        *("-" if time is None else f"{time:,.1f}" for time in times),
        f"{totals.get('cold_starts', 0):,}",
        f"{totals['rows_in']:,}" if "rows_in" in totals else "-",
        "-" if cost is None else f"{cost:.6f}",
    )


def _name(figures: "Figures") -> str:
    if figures.model is None:
        return figures.function
    return f"{figures.function} {figures.model} {figures.version}"


def _code(figures: "Figures") -> str:
    count = figures.totals.get("errors", figures.totals.get("refused", 0))
    return f"{_name(figures)}  {figures.code}  {count:,}"
