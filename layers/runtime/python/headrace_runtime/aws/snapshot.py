"""What a snapshot of `predict` holds: models that have run once, and nothing that must be unique.

Imported only where Lambda takes one.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from snapshot_restore_py import register_after_restore, register_before_snapshot

from headrace_runtime.aws.light_clients import LightDynamoDB, LightS3
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.routing import Routing
from headrace_runtime.errors import HeadraceError
from headrace_runtime.inference.session_cache import SessionCache
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Datatype, Tensor
from headrace_runtime.validation.sample_inputs import lengths, samples


def warm_before_snapshot(
    models: str,
    *,
    registry_table: str,
    sessions: SessionCache,
    s3: LightS3,
    on_failure: Callable[[Exception], None],
) -> None:
    """Have *models* loaded and run before the snapshot, and draws made anew after each restore.

    Args:
        models: `digits,spam@3`: a model's alias `live`, or a version or alias.
        registry_table: read over a connection that is closed before the snapshot.
        sessions: where the models are kept.
        s3: what *sessions* loads from; its connection, too, is closed before the snapshot.
        on_failure: is told why a model is not warm; it is then loaded when it is first called.
    """

    def warm() -> None:
        dynamodb = LightDynamoDB()
        # Of its own: what an alias was then must not be believed after the restore.
        routing = Routing(
            Registry(registry_table, dynamodb=dynamodb), alias_ttl_s=60.0, clock=lambda: 0.0
        )
        for name in filter(None, models.split(",")):
            try:
                model, _, reference = name.partition("@")
                version = int(reference) if reference.isdigit() else reference or "live"
                run_once(routing.manifest(model, version, draw=1.0), sessions)
            except Exception as error:  # noqa: BLE001 - a cold model is no reason not to deploy
                on_failure(error)
        dynamodb.close()
        s3.close()

    register_before_snapshot(warm)
    # Else every sandbox would draw what all the others draw.
    register_after_restore(random.seed)


def run_once(manifest: Manifest, sessions: SessionCache) -> None:
    """Load a version and run it on zeros, of the first lengths that it runs with."""
    session = sessions.session(manifest)
    for length in lengths(manifest.signature):
        with suppress(HeadraceError):
            session.run(_zeros(manifest, length))
            return


def _zeros(manifest: Manifest, length: int) -> Sequence[Tensor]:
    values = samples(manifest.signature, batch=1, length=length, kind="zeros")
    return [
        # Text is `str` to ONNX Runtime, and bytes to a tensor.
        Tensor(spec.name, spec.datatype, np.full_like(values[spec.name], b""))
        if spec.datatype is Datatype.BYTES
        else Tensor(spec.name, spec.datatype, values[spec.name])
        for spec in manifest.signature.inputs
    ]
