"""Signatures: names, datatypes and shapes of what a model takes and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from headrace_runtime.errors import (
    DatatypeMismatch,
    MissingInput,
    ShapeMismatch,
    UnknownInput,
    UnknownOutput,
)
from headrace_runtime.tensor import Datatype, Tensor

FREE = -1  # a dimension of any length


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What one input or output looks like.

    Attributes:
        shape: lengths of the dimensions, FREE (-1) for any length, () for a scalar. An output's
            shape is what the exporter declared; models give others (LightGBM's labels).
        labels: for the output of a classifier that gave a map per record: the classes that the
            columns stand for, in order, as text. Empty for all others.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether a tensor of *shape* can stand here."""
        return len(shape) == len(self.shape) and all(
            want in (FREE, got) for want, got in zip(self.shape, shape, strict=True)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the tensor's metadata as the Open Inference Protocol writes it."""
        plain = {"name": self.name, "datatype": str(self.datatype), "shape": list(self.shape)}
        return plain | ({"parameters": {"labels": list(self.labels)}} if self.labels else {})

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote."""
        labels = plain.get("parameters", {}).get("labels", ())
        return cls(plain["name"], Datatype(plain["datatype"]), tuple(plain["shape"]), tuple(labels))


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and gives, in the graph's order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in the graph's order."""
        return [spec.name for spec in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in the graph's order."""
        return [spec.name for spec in self.outputs]

    def input(self, name: str) -> TensorSpec:
        """Return the input of that name.

        Raises:
            UnknownInput: there is none.
        """
        for spec in self.inputs:
            if spec.name == name:
                return spec
        raise UnknownInput(name, self.input_names)

    def check(self, tensors: Sequence[Tensor]) -> None:
        """Let *tensors* pass if they are exactly the model's inputs, in any order, each once.

        Raises:
            UnknownInput: a name is not an input's, or comes twice.
            MissingInput: an input is not there.
            DatatypeMismatch: another datatype than the input's; none is converted.
            ShapeMismatch: the number or length of dimensions does not fit.
        """
        waiting = {spec.name: spec for spec in self.inputs}
        for tensor in tensors:
            spec = waiting.pop(tensor.name, None)
            if spec is None:
                raise UnknownInput(tensor.name, self.input_names)
            if spec.datatype is not tensor.datatype:
                raise DatatypeMismatch(tensor.name, spec.datatype, tensor.datatype)
            if not spec.fits(tensor.array.shape):
                raise ShapeMismatch(tensor.name, spec.shape, tensor.array.shape)
        for name in waiting:
            raise MissingInput(name, self.input_names)

    def check_outputs(self, wanted: Sequence[str]) -> None:
        """Let *wanted* pass if all are names of outputs.

        Raises:
            UnknownOutput: one is not.
        """
        for name in wanted:
            if name not in self.output_names:
                raise UnknownOutput(name, self.output_names)

    def to_dict(self) -> dict[str, Any]:
        """Return `{"inputs": [...], "outputs": [...]}` as the Open Inference Protocol has it."""
        return {
            "inputs": [spec.to_dict() for spec in self.inputs],
            "outputs": [spec.to_dict() for spec in self.outputs],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote."""
        inputs, outputs = (
            tuple(TensorSpec.from_dict(spec) for spec in plain[side])
            for side in ("inputs", "outputs")
        )
        return cls(inputs, outputs)
