"""What CDK uploads as code: built folders, or, where nothing is to be built, only their names.

An asset's name follows from what it would be built of, so a template is the same to the letter
whether anything was built or not.
"""

from pathlib import Path

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.aws import build_layers, own_code
from infra.aws.source_tree import ROOT

# Whether code and layers are built at synth; off, sources stand for them.
BUILD_LAYERS = "headrace:build-layers"
# Off, by `-c headrace:bytecode=false`, modules are deployed without bytecode.
BYTECODE = "headrace:bytecode"


def own(scope: Construct, folder: str) -> lambda_.Code:
    """Return our own code in *folder*, as `functions/predict`, exactly as it lies.

    Raises:
        NoLambdaPython: bytecode is wanted and there is nobody to compile it.
    """
    bytecode = _is_on(scope, BYTECODE)
    wanted = _is_on(scope, BUILD_LAYERS)
    built = own_code.build(folder, bytecode=bytecode) if wanted else ROOT / folder
    return _asset(built, own_code.digest(folder, bytecode=bytecode))


def packages(scope: Construct, layer: str, architecture: str) -> lambda_.Code:
    """Return the third-party *layer* for *architecture*, `x86_64` or `arm64`.

    Raises:
        NoLambdaPython: bytecode is wanted and there is nobody to compile it.
        subprocess.CalledProcessError: pip could not get a pinned wheel.
    """
    bytecode = _is_on(scope, BYTECODE)
    wanted = _is_on(scope, BUILD_LAYERS)
    built = ROOT / "layers" / layer
    if wanted:
        built = build_layers.build(layer, architecture, bytecode=bytecode)
    return _asset(built, build_layers.digest(layer, architecture, bytecode=bytecode))


def _asset(folder: Path, digest: str) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(folder), asset_hash=digest, asset_hash_type=AssetHashType.CUSTOM
    )


def _is_on(scope: Construct, switch: str) -> bool:
    # The command line hands over text; cdk.json and our own app hand over a truth value.
    return scope.node.try_get_context(switch) not in (False, "false")
