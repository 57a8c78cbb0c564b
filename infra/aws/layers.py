"""The Lambda layers: our runtime as it lies, third-party packages as `build_layers` builds them."""

from aws_cdk import AssetHashType, IgnoreMode, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.aws import build_layers
from infra.aws.source_tree import NOT_SOURCES, ROOT, note_source

# Whether third-party layers are built at synth; off, the template is the same to the letter.
BUILD_LAYERS = "headrace:build-layers"


class Layers(Construct):
    """All layers, one folder of `layers/` each."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.runtime = self._layer("runtime", self._sources("runtime"))
        self.essentials = self._layer("essentials", self._packages("essentials"))
        self.inference = self._layer("inference", self._packages("inference"))
        self.onnx = self._layer("onnx", self._packages("onnx"))

    def _layer(self, name: str, code: lambda_.Code) -> lambda_.LayerVersion:
        layer = lambda_.LayerVersion(
            self,
            name.title(),
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.X86_64],
            description=f"Headrace: {name}",
            removal_policy=RemovalPolicy.DESTROY,
        )
        note_source(layer, f"layers/{name}")
        return layer

    def _sources(self, name: str) -> lambda_.Code:
        return lambda_.Code.from_asset(
            str(ROOT / "layers" / name), exclude=NOT_SOURCES, ignore_mode=IgnoreMode.GLOB
        )

    def _packages(self, name: str) -> lambda_.Code:
        wanted = self.node.try_get_context(BUILD_LAYERS) is not False
        folder = build_layers.build(name) if wanted else ROOT / "layers" / name
        return lambda_.Code.from_asset(
            str(folder),
            asset_hash=build_layers.digest(name),
            asset_hash_type=AssetHashType.CUSTOM,
        )
