"""The Lambda layers: our runtime as it lies, third-party packages as `build_layers` builds them."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.aws import code_assets
from infra.aws.headrace_function import ARCHITECTURES
from infra.aws.source_tree import note_source
from infra.aws.stage import Stage


class Layers(Construct):
    """All layers, one folder of `layers/` each."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._architecture = stage.architecture
        self.runtime = self._layer("runtime", code_assets.own(self, "layers/runtime"))
        self.essentials = self._packages("essentials")
        self.files = self._packages("files")
        self.inference = self._packages("inference")
        self.onnx = self._packages("onnx")
        self.parquet = self._packages("parquet")
        self.tokens = self._packages("tokens")

    def _packages(self, name: str) -> lambda_.LayerVersion:
        return self._layer(name, code_assets.packages(self, name, self._architecture))

    def _layer(self, name: str, code: lambda_.Code) -> lambda_.LayerVersion:
        layer = lambda_.LayerVersion(
            self,
            name.title(),
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[ARCHITECTURES[self._architecture]],
            description=f"Headrace: {name}",
            removal_policy=RemovalPolicy.DESTROY,
        )
        note_source(layer, f"layers/{name}")
        return layer
