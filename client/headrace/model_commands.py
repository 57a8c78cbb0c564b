"""Commands about models: publish, models, predict."""

import json
from typing import Any

import click

from headrace.session import client_of


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--name", required=True, help="The model's name.")
@click.option(
    "--accelerator",
    type=click.Choice(["auto", "gpu", "never"]),
    default="auto",
    show_default=True,
    help="Run it on GPUs: each job where it costs less, always, or never.",
)
@click.option("--realtime", is_flag=True, help="Let GPUs answer `predict`: they cost all day.")
@click.option("--tensorrt", is_flag=True, help="Let TensorRT compile it for GPUs.")
@click.option("--wait/--no-wait", default=True, help="Wait for the verdict.  [default: wait]")
@click.option("--timeout", "timeout_s", default=180.0, show_default=True, help="Seconds to wait.")
@click.pass_context
def publish(
    ctx: click.Context, /, file: str, name: str, *, wait: bool, timeout_s: float, **chosen: Any
) -> None:
    """Make the ONNX model FILE the next version of a model.

    Prints the version once it is ready; says why on stderr if the model is refused. The same
    file with another choice of accelerator is another version.
    """
    client = client_of(ctx)
    if not wait:
        client.publish(file, name, wait=False, **chosen)
        click.echo(f"{name}: sent; `headrace models {name}` shows the verdict")
        return
    version = client.publish(file, name, timeout_s=timeout_s, **chosen)
    click.echo(f"{name} version {version.version} is ready ({version.size_bytes:,} bytes)")


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def models(ctx: click.Context, name: str | None, *, as_json: bool) -> None:
    """List all models, or versions, aliases and refusals of one."""
    from dataclasses import asdict  # noqa: PLC0415 - as in `client_of`

    client = client_of(ctx)
    if name is None:
        listed = client.models()
        if as_json:
            click.echo(json.dumps([asdict(model) for model in listed]))
            return
        for summary in listed:
            latest = f"version {summary.latest}" if summary.latest else "no version accepted"
            click.echo(f"{summary.name}\t{latest}")
        return
    model = client.model(name)
    click.echo(json.dumps(asdict(model)) if as_json else "\n".join(_described(model)))


@click.command()
@click.argument("model")
@click.option(
    "-i",
    "--input",
    "source",
    required=True,
    help="JSON; or a file with JSON, .npy or .npz; or - for JSON on stdin.",
)
@click.option("--version", help="A version, or an alias.  [default: the alias live]")
@click.option("--output", "outputs", multiple=True, help="An output to print.  [default: all]")
@click.pass_context
def predict(
    ctx: click.Context,
    *,
    model: str,
    source: str,
    version: str | None,
    outputs: tuple[str, ...],
) -> None:
    r"""Ask MODEL, and print its answer as JSON.

    The input is nested lists for a model with one input, or an object of them by the input's
    name; the arrays of an .npz file are by name too.

    \b
        headrace predict iris --input '[[5.1, 3.5, 1.4, 0.2]]'
        headrace predict digits --input images.npy
        echo '{"x": [[1, 2]], "y": [[3]]}' | headrace predict sums --input -
    """
    from headrace import input_files, printing  # noqa: PLC0415 - as in `client_of`

    values = input_files.read(source)
    prediction = client_of(ctx).predict(model, values, version, list(outputs) or None)
    click.echo(printing.prediction(prediction))


def _described(model: Any) -> list[str]:
    return [
        model.name,
        *(
            f"  version {v.version}  {v.registered_at}  {v.size_bytes:,} bytes  "
            f"{_tensors(v.inputs)} -> {_tensors(v.outputs)}  {_runs_on(v)}"
            for v in model.versions
        ),
        *(
            f"  alias {alias.name} -> version {alias.version}"
            + (f", {alias.canary.weight:.0%} to {alias.canary.version}" if alias.canary else "")
            for alias in model.aliases
        ),
        *(f"  refused {r.digest[:12]}  {r.rule}: {r.error}" for r in model.refusals),
    ]


def _runs_on(version: Any) -> str:
    chosen = version.acceleration
    if chosen.accelerator == "never":
        return "CPU only, by choice"
    if version.unfit_for_gpu:
        return f"CPU only: {version.unfit_for_gpu}"
    also = [name for name in ("realtime", "tensorrt") if getattr(chosen, name)]
    where = "GPU only" if chosen.accelerator == "gpu" else "CPU or GPU"
    return ", ".join([where, *also, f"{version.rows_at_once:,} records a request"])


def _tensors(tensors: Any) -> str:
    return ", ".join(f"{t.name} {t.datatype}{list(t.shape)}" for t in tensors)
