"""The main job on real input, from door to door, in a cloud on this machine."""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import boto3
import click
import numpy as np

from headrace import Client, HeadraceError
from infra.demo import digits, file_types
from infra.demo.started_cloud import ROOT, NotReady, started_cloud


def main() -> int:
    """Run the demo in a cloud of its own; return the exit status."""
    began = time.monotonic()
    click.echo("Starting a cloud, and training a classifier of handwritten digits meanwhile ...")
    with (
        tempfile.TemporaryDirectory(prefix="headrace-demo-") as home,
        started_cloud(Path(home)) as exports,
    ):
        trained = digits.trained()
        variables = exports()
        click.echo(f"Both are ready after {time.monotonic() - began:.1f} s.\n")
        agree = tell(variables, trained)
    return 0 if agree else 1


def tell(exports: Mapping[str, str], trained: digits.Digits) -> bool:
    """Run and print the whole demo against one cloud; return whether both doors agree.

    Args:
        exports: what the local cloud exports: HEADRACE_URL and a key, the buckets, the way to them.
        trained: the classifier, and images it has never seen.
    """
    with Client(exports["HEADRACE_URL"], api_key=exports["HEADRACE_API_KEY"]) as client:
        agree = _tell_digits(client, exports, trained)
        _tell_file_types(client)
    return agree


def _tell_digits(client: Client, exports: Mapping[str, str], trained: digits.Digits) -> bool:
    _line("model", f"a network trained on {trained.trained_on:,} images of 8x8 pixels")
    _publish(client, trained.graph, "digits")
    called = digits.called(client, trained)
    _line("cold call", f"{called.cold_ms:,.0f} ms: the first, for which a function starts")
    _line("warm call", f"{called.warm_ms:,.1f} ms: one image, median of {digits.WARM_CALLS}")
    right = trained.accuracy(called.labels)
    _line("over HTTP", f"{right:.1%} of {len(trained.labels)} held-out images named right")

    s3 = boto3.client(
        "s3",
        endpoint_url=exports["AWS_ENDPOINT_URL"],
        region_name=exports["AWS_DEFAULT_REGION"],
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
    )
    dropped = digits.dropped(
        s3, exports["HEADRACE_INBOX_BUCKET"], exports["HEADRACE_RESULTS_BUCKET"], trained
    )
    right = trained.accuracy(dropped.labels)
    _line("as a file", f"{right:.1%} of them, {dropped.took_s:.1f} s after the CSV was dropped")
    agree = np.array_equal(called.labels, dropped.labels)
    _line("both doors", "agree on every image" if agree else "DISAGREE")
    _line("results", "")
    for key, size_bytes in dropped.files.items():
        click.echo(f"  {size_bytes:>9,} bytes  {key}")
    _line("first lines", "")
    for line in dropped.first_lines:
        click.echo(f"  {line[:100]}{' ...' if len(line) > 100 else ''}")
    return agree


def _tell_file_types(client: Client) -> None:
    click.echo()
    types = file_types.shipped()
    _line("model", f"magika's, as its package ships it: {len(types.labels)} types of files")
    _publish(client, types.graph, "file-types")
    named = file_types.named(client, types, ROOT)
    for found in named:
        click.echo(f"  {found.path:<28}{found.label:<12}{found.score:.0%}")
    same = sum(found.label == found.by_package for found in named)
    _line("magika", f"itself names {same} of {len(named)} the same way")


def _publish(client: Client, graph: bytes, name: str) -> None:
    began = time.monotonic()
    version = client.publish(graph, name)
    took_s = time.monotonic() - began
    inputs = ", ".join(f"{i.name} {i.datatype}{list(i.shape)}" for i in version.inputs)
    ready = f"{name} version {version.version}, ready after {took_s:.1f} s; takes {inputs}"
    _line("published", f"{len(graph):,} bytes: {ready}")


def _line(name: str, text: str) -> None:
    click.echo(f"{name:<12}{text}".rstrip())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (HeadraceError, NotReady) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
