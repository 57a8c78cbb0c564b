"""What the CDK's command line deployed into moto, running: the very archives that it uploaded."""

import base64
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3

from infra.local.assembly import Stack
from infra.local.child_processes import ChildProcesses
from infra.local.deployed_api import read_api
from infra.local.deployed_functions import read_functions
from infra.local.function_runtime import FunctionRuntime
from infra.local.function_spec import FunctionSpec
from infra.local.http_front import HttpFront
from infra.local.memory_watch import MemoryWatch
from infra.local.poller import Poller
from infra.local.queue_mapping import QueueMapping
from infra.local.synthesis import ROOT

ALIAS = "live"
LOOK_EVERY_S = 0.1


class DeployedCloud:
    """moto, and the functions, routes and queues that come to stand in it.

    Each function runs as the version that its alias names, and goes over to another as the alias
    does.

    Args:
        aws: variables of credentials and region.
    """

    def __init__(self, folder: Path, aws: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._children = ChildProcesses(remove=[])
        self._memory = MemoryWatch()
        self.front = HttpFront(0)
        self._moto = self._children.start(
            [sys.executable, "-m", "infra.local.moto_process", self.front.url],
            env=aws,
            cwd=ROOT,
            output=subprocess.PIPE,
            errors=subprocess.DEVNULL,
        )
        line = self._moto.stdout.readline() if self._moto.stdout else b""
        # By this name, and no other, moto knows a template's address for one of its own buckets.
        self.aws = {**aws, "AWS_ENDPOINT_URL": f"http://localhost:{int(line)}"}
        self.versions: dict[str, str] = {}
        self._functions: dict[str, FunctionRuntime] = {}
        self._retired: list[FunctionRuntime] = []
        self._pollers: list[Poller] = []
        self._stopped = Event()

    def run(self, stacks: Sequence[Stack], session: boto3.Session) -> None:
        """Run what was deployed, and follow the aliases."""
        self._lambda = session.client("lambda")
        self._s3 = session.client("s3")
        runtime = self._layer(stacks, session)
        packages = self._folder / "packages"
        packages.mkdir()
        for spec in read_functions(stacks, session, packages=packages):
            layers = tuple(runtime for layer in spec.layers if "runtime" in layer.parts)
            self._go_over(replace(spec, layers=layers))
        routes, gateway = read_api(
            session, port=self.front.port, functions=self._functions, calls=self.front.calls
        )
        self.front.serve(routes, self._functions, gateway)
        for listed in self._lambda.list_event_source_mappings()["EventSourceMappings"]:
            mapping = QueueMapping.read(listed)
            self._pollers.append(Poller(mapping, self._functions[mapping.function], session))
            self._pollers[-1].start()
        self._follower = Thread(target=self._follow, daemon=True)
        self._follower.start()

    def rest(self) -> None:
        """Run nothing any more; what is deployed stays."""
        self._stopped.set()
        self._follower.join()
        for poller in self._pollers:
            poller.stop()
        for function in (*self._functions.values(), *self._retired):
            function.stop()

    def stop(self) -> None:
        """End everything."""
        self.front.stop()
        self._memory.stop()
        self._children.kill(self._moto)
        self._children.close()
        if self._moto.stdout:
            self._moto.stdout.close()

    def _follow(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_S):
            for name, function in list(self._functions.items()):
                if self._live(name) != self.versions[name]:
                    self._retired.append(function)  # it answers what it has begun to
                    self._go_over(function.spec)

    def _live(self, function: str) -> str:
        alias: dict[str, Any] = self._lambda.get_alias(FunctionName=function, Name=ALIAS)
        return str(alias["FunctionVersion"])

    def _go_over(self, spec: FunctionSpec) -> None:
        name, version = spec.name, self._live(spec.name)
        configured = self._lambda.get_function_configuration(FunctionName=name, Qualifier=version)
        code = self._unpacked(configured["CodeSha256"], self._folder / f"{name}-{version}")
        environment = configured["Environment"]["Variables"]
        self._functions[name] = FunctionRuntime(
            replace(spec, folder=code, environment=environment),
            aws=self.aws,
            children=self._children,
            memory=self._memory,
            scratch=self._folder / "tmp" / version,
            log=self._folder / f"{name}.log",
        )
        self.versions[name] = version

    def _layer(self, stacks: Sequence[Stack], session: boto3.Session) -> Path:
        """Return the folder of the runtime's layer, as uploaded."""
        formation = session.client("cloudformation")
        for stack in stacks:
            for logical_id, resource in stack.template["Resources"].items():
                if resource.get("Metadata", {}).get("headrace:source") == "layers/runtime":
                    arn = formation.describe_stack_resource(
                        StackName=stack.name, LogicalResourceId=logical_id
                    )["StackResourceDetail"]["PhysicalResourceId"]
                    name, version = arn.split(":")[-2:]
                    layer = self._lambda.get_layer_version(
                        LayerName=name, VersionNumber=int(version)
                    )
                    digest = layer["Content"]["CodeSha256"]
                    return self._unpacked(digest, self._folder / "runtime") / "python"
        raise LookupError("layers/runtime")

    def _unpacked(self, digest: str, folder: Path) -> Path:
        bucket = f"cdk-hnb659fds-assets-123456789012-{self.aws['AWS_REGION']}"
        for entry in self._s3.list_objects_v2(Bucket=bucket)["Contents"]:
            data = self._s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            if base64.b64encode(hashlib.sha256(data).digest()).decode() == digest:
                zipfile.ZipFile(io.BytesIO(data)).extractall(folder)
                return folder
        raise LookupError(digest)
