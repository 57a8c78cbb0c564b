"""Commands about who may call what: keys, policies."""

import json
from typing import TYPE_CHECKING, Any

import click

from headrace.session import client_of

if TYPE_CHECKING:
    from headrace.access_records import Key, Policy

ACTIONS = ("infer", "explain", "submit", "publish", "promote", "read", "admin")


@click.group()
def keys() -> None:
    """Make, list and revoke API keys. For admins alone."""


@keys.command("create")
@click.argument("name")
@click.option("--expires-in-days", type=int, help="1 to 3650.  [default: it never expires]")
@click.option("--rate", "rate_per_s", type=int, help="Calls a second.  [default: any number]")
@click.option("--quota", "daily_quota", type=int, help="Calls a day.  [default: any number]")
@click.pass_context
def create_key(
    ctx: click.Context,
    name: str,
    *,
    expires_in_days: int | None,
    rate_per_s: int | None,
    daily_quota: int | None,
) -> None:
    """Make a key that people call NAME, and print it: it is shown this once.

    It may do nothing until a policy names it: the line on stderr says how.
    """
    made = client_of(ctx).keys.create(
        name, expires_in_days=expires_in_days, rate_per_s=rate_per_s, daily_quota=daily_quota
    )
    click.echo(made.text)
    click.echo(
        f"Let it do something: headrace policies put {made.key_id} --subject key:{made.key_id} "
        "--action infer --model '*'",
        err=True,
    )


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_keys(ctx: click.Context, *, as_json: bool) -> None:
    """List every key, oldest first: id, name, and how it stands."""
    listed = client_of(ctx).keys.list()
    if as_json:
        click.echo(_json([_key(key) for key in listed]))
        return
    for key in listed:
        click.echo(f"{key.key_id}\t{key.name}\t{_standing(key)}")


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@click.pass_context
def revoke_key(ctx: click.Context, key_id: str) -> None:
    """Let the key of this ID be good no more, from the next call on."""
    revoked = client_of(ctx).keys.revoke(key_id)
    click.echo(f"{revoked.key_id} ({revoked.name}) is {_standing(revoked)}")


@click.group()
def policies() -> None:
    """Say who may do what on which models, within five seconds. For admins alone."""


@policies.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_policies(ctx: click.Context, *, as_json: bool) -> None:
    """List every policy."""
    listed = client_of(ctx).policies.list()
    if as_json:
        click.echo(_json([_policy(policy) for policy in listed]))
        return
    for policy in listed:
        click.echo(_told(policy))


@policies.command("show")
@click.argument("name")
@click.pass_context
def show_policy(ctx: click.Context, name: str) -> None:
    """Print a policy as JSON."""
    click.echo(_json(_policy(client_of(ctx).policies.get(name))))


@policies.command("put")
@click.argument("name")
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    required=True,
    help="Who: key:<id>, sub:<subject>, claim:<name>=<value>, iam:<arn>. May be repeated.",
)
@click.option(
    "--action",
    "actions",
    multiple=True,
    required=True,
    type=click.Choice(ACTIONS),
    help="May do what. May be repeated.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    help="On which models; * is any text, ? one character. May be repeated.",
)
@click.pass_context
def put_policy(
    ctx: click.Context,
    name: str,
    *,
    subjects: tuple[str, ...],
    actions: tuple[str, ...],
    models: tuple[str, ...],
) -> None:
    r"""Write the policy NAME whole; one of that name is replaced.

    \b
        headrace policies put shop --subject key:aaaqeayeaudaocaj --action infer --model 'iris*'
    """
    put = client_of(ctx).policies.put(name, subjects=subjects, actions=actions, models=models)
    click.echo(_told(put))


@policies.command("delete")
@click.argument("name")
@click.pass_context
def delete_policy(ctx: click.Context, name: str) -> None:
    """Remove the policy NAME: what it gave is given no more."""
    click.echo(f"removed: {_told(client_of(ctx).policies.delete(name))}")


def _standing(key: "Key") -> str:
    if key.revoked_at:
        return f"revoked at {key.revoked_at}"
    limits = [f"{key.rate_per_s:,} calls a second"] if key.rate_per_s else []
    limits += [f"{key.daily_quota:,} calls a day"] if key.daily_quota else []
    until = f"good until {key.expires_at}" if key.expires_at else "good until it is revoked"
    return ", ".join([until, *limits])


def _told(policy: "Policy") -> str:
    who, what, which = map(", ".join, (policy.subjects, policy.actions, policy.models))
    return f"{policy.name}: {who} may {what} on {which}"


def _key(key: "Key") -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    plain = asdict(key)
    del plain["text"]
    return plain


def _policy(policy: "Policy") -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    return asdict(policy)


def _json(value: Any) -> str:
    return json.dumps(value)
