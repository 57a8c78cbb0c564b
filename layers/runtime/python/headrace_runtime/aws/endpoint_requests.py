"""What SageMaker is asked for: models, configs of endpoints, and what they are called."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from headrace_runtime.batch.gpu_need import REALTIME, Need
from headrace_runtime.work_settings import ProvisionSettings

VARIANT = "AllTraffic"  # an endpoint has one alone: versions are never mixed within a job

# Bodies that an instance is sent at a time: while one runs, others are read and written.
_AT_ONCE = 4
# The container of 2026 is CUDA 13's, and the driver of the image that SageMaker takes by itself for
# g4dn and g5 is 470: the container does not start there. This one has 580, and runs older ones too.
_MACHINE_IMAGE = "al2023-ami-sagemaker-inference-gpu-4-1"
_DOWNLOAD_S = 1200
# Until Triton says that it is ready. TensorRT compiles for minutes first.
_STARTUP_S, _COMPILING_S = 600, 1800


@dataclass(frozen=True, slots=True)
class EndpointRequests:
    """Writes the requests by which a stage's models and endpoints are made.

    Attributes:
        settings: the stage's.
    """

    settings: ProvisionSettings

    def name(self, need: Need) -> str:
        """Return how the SageMaker model and the endpoint are called that serve *need*.

        The name says all of what they are: its last part is a digest of the requests. What would
        be made otherwise is called otherwise, so nothing that stands is ever changed.
        """
        requests = [
            self.model("", need),
            *(self.config("", need, realtime=kind) for kind in (False, True)),
        ]
        digest = hashlib.sha256(json.dumps(requests, sort_keys=True).encode()).hexdigest()
        return f"{self.settings.name_prefix}-{need.model[:20]}-{need.version}-{digest[:8]}"

    def model(self, name: str, need: Need) -> dict[str, Any]:
        """Return the request for a SageMaker model; its container reaches no network."""
        container = {
            "Image": self.settings.image,
            "ModelDataUrl": f"s3://{self.settings.models_bucket}/{need.archive_key}",
            "Environment": {
                "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "model",
                "SAGEMAKER_TRITON_LOG_VERBOSE": "0",
            },
        }
        return {
            "ModelName": name,
            "PrimaryContainer": container,
            "ExecutionRoleArn": self.settings.role_arn,
            "EnableNetworkIsolation": True,
        }

    def config(self, name: str, need: Need, *, realtime: bool) -> dict[str, Any]:
        """Return the request for the config of an endpoint.

        Args:
            name: of the SageMaker model, and of the endpoint that takes bodies through S3.
            need: what it serves.
            realtime: whether the endpoint answers at once.
        """
        variant = {
            "VariantName": VARIANT,
            "ModelName": name,
            # SageMaker makes none with 0; scaling takes it away again.
            "InitialInstanceCount": 1,
            "InferenceAmiVersion": _MACHINE_IMAGE,
            "ModelDataDownloadTimeoutInSeconds": _DOWNLOAD_S,
            "ContainerStartupHealthCheckTimeoutInSeconds": (
                _COMPILING_S if need.tensorrt else _STARTUP_S
            ),
            **self._instances(),
        }
        request: dict[str, Any] = {
            "EndpointConfigName": name + REALTIME if realtime else name,
            "ProductionVariants": [variant],
        }
        return request if realtime else request | {"AsyncInferenceConfig": self._asynchronous()}

    def _instances(self) -> dict[str, Any]:
        types = self.settings.gpu_instance_types.split(",")
        if len(types) == 1:
            return {"InstanceType": types[0]}
        pools = [{"InstanceType": name, "Priority": at} for at, name in enumerate(types, 1)]
        return {"InstancePools": pools}

    def _asynchronous(self) -> dict[str, Any]:
        staging = f"s3://{self.settings.staging_bucket}"
        return {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": _AT_ONCE},
            "OutputConfig": {
                "S3OutputPath": f"{staging}/out/",
                "S3FailurePath": f"{staging}/failed/",
                "NotificationConfig": {
                    "SuccessTopic": self.settings.success_topic,
                    "ErrorTopic": self.settings.failure_topic,
                },
            },
        }
