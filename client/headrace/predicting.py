"""Inputs → an `infer` call in the binary tensor extension → outputs."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from headrace import open_inference
from headrace.arrays import Inputs, tensors_of
from headrace.connection import Connection
from headrace.failures import ApiError
from headrace.records import TensorInfo
from headrace_runtime.errors import InvalidInput, UnfitInput
from headrace_runtime.tensor import Array, Tensor

Reference = int | str  # a version, or an alias


class Prediction(dict[str, Array]):
    """The outputs of a model by name.

    Attributes:
        model: the model that was asked.
        version: the version that answered, as text; it may be the canary of the alias asked.
    """

    def __init__(self, outputs: Mapping[str, Array], *, model: str, version: str) -> None:
        super().__init__(outputs)
        self.model = model
        self.version = version


class Predictor:
    """Calls models, and remembers what they take, so that a second call is one round trip."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._takes: dict[str, list[TensorInfo]] = {}  # by path, alias or version included

    def predict(
        self,
        model: str,
        inputs: Inputs,
        version: Reference | None,
        outputs: Sequence[str] | None,
    ) -> Prediction:
        """Return what the model makes of *inputs*."""
        path = f"/v2/models/{quote(model, safe='')}"
        if version is not None:
            path += f"/versions/{quote(str(version), safe='')}"
        body, json_bytes = open_inference.request_body(self._tensors(path, inputs), outputs)
        headers = {
            "content-type": "application/octet-stream",
            open_inference.LENGTH_HEADER: str(json_bytes),
        }
        try:
            response = self._connection.call(
                "POST", f"{path}/infer", body=body, headers=headers, repeatable=True
            )
        except ApiError as error:
            if error.status == 422:  # an alias may have moved to a version that takes others
                self._takes.pop(path, None)
            raise
        try:
            answer, arrays = open_inference.read_answer(response.content, response.headers)
            return Prediction(arrays, model=model, version=str(answer.get("model_version", "")))
        except (InvalidInput, ValueError, LookupError, TypeError, AttributeError) as error:
            sentence = f"{response.url} did not answer a prediction: {error!r}"
            raise ApiError(response.status_code, "UNREADABLE_ANSWER", sentence) from error

    def _tensors(self, path: str, inputs: Inputs) -> list[Tensor]:
        known = self._takes.get(path)
        if known is not None:
            try:
                return tensors_of(known, inputs)
            except UnfitInput:
                pass  # an alias may have moved to a version that takes just these: ask again
        metadata = self._connection.get(path)
        self._takes[path] = [TensorInfo.from_json(tensor) for tensor in metadata["inputs"]]
        return tensors_of(self._takes[path], inputs)
