"""Commands about messages that were given up: dead-letters, redrive."""

import click

from headrace.session import client_of
from headrace.text_table import aligned


@click.command("dead-letters")
@click.pass_context
def dead_letters(ctx: click.Context) -> None:
    """Show by queue how many messages wait that were given up. For admins alone."""
    waiting = client_of(ctx).dead_letters()
    click.echo("\n".join(aligned([(name, f"{count:,}") for name, count in waiting.items()])))


@click.command()
@click.argument("queue", required=False)
@click.option(
    "--max",
    "most",
    type=click.IntRange(min=1),
    help="How many at most, of all queues together.  [default: all]",
)
@click.pass_context
def redrive(ctx: click.Context, queue: str | None, most: int | None) -> None:
    """Put messages that were given up back into QUEUE, or into every queue. For admins alone.

    It is safe: what was done already is not done again.
    """
    moved = client_of(ctx).redrive(queue, max=most)
    click.echo("\n".join(aligned([(name, f"{count:,} moved") for name, count in moved.items()])))
