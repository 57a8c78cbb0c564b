"""The local cloud: what runs, in the order in which it starts and stops."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3

from infra.local.assembly import read_stacks
from infra.local.child_processes import ChildProcesses
from infra.local.deployed_api import read_api
from infra.local.deployed_functions import read_functions
from infra.local.deployment import deploy
from infra.local.first_key import FirstKey
from infra.local.function_runtime import FunctionRuntime
from infra.local.function_spec import FunctionSpec
from infra.local.home import Home
from infra.local.http_front import HttpFront
from infra.local.log_shipping import LogShipping
from infra.local.memory_watch import MemoryWatch
from infra.local.poller import Poller
from infra.local.queue_mapping import QueueMapping
from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.play import Play
from infra.local.sagemaker.player import SageMakerPlayer
from infra.local.schedules import Schedules, read_schedules
from infra.local.synthesis import ROOT
from infra.local.triton.model_server import start_model_server

REGION = "eu-west-1"

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
_OUTPUTS = {
    "HEADRACE_MODELS_BUCKET": "ModelsBucket",
    "HEADRACE_INBOX_BUCKET": "InboxBucket",
    "HEADRACE_RESULTS_BUCKET": "ResultsBucket",
}


# The output that names the table where keys are kept.
_KEYS = "AccessTable"


class MotoFailed(Exception):
    """moto's process ended before it took requests; its log says why."""


class LocalCloud:
    """AWS on this machine, with what a synthesised template deploys.

    Args:
        port: of the HTTP API; 0 for any that is free.
        schedules_s: seconds between two runs of whatever has a schedule, instead of its own.
        play: how SageMaker is played.

    Raises:
        OSError: the port is in use. Nothing was started.
        HomeInUse: another cloud runs there. Nothing was started.
    """

    def __init__(
        self, home: Home, *, port: int, schedules_s: float | None = None, play: Play | None = None
    ) -> None:
        self._home = home
        self._front = HttpFront(port)
        self._lock = home.take()
        self._children = ChildProcesses(remove=[home.env, home.scratch, home.packages])
        self._memory = MemoryWatch()
        self._functions: dict[str, FunctionRuntime] = {}
        self._pollers: list[Poller] = []
        self._schedules_s = schedules_s
        self._schedules: Schedules | None = None
        self._log_shipping: LogShipping | None = None
        self._sagemaker = SageMakerPlayer(
            start_model_server,
            play=play or Play(),
            children=self._children,
            scratch=home.scratch,
            logs=home.logs,
        )
        self._moto = self._start_moto()

    def start(self, synthesise: Callable[[ChildProcesses], Path]) -> dict[str, str]:
        """Deploy and run an assembly; return the variables with which others find the cloud.

        Args:
            synthesise: gives the assembly's folder; it runs while moto starts.
        """
        stacks = read_stacks(synthesise(self._children))
        session = _session()
        moto_url = self._moto_endpoint()
        runtime = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self._sagemaker.url}
        aws = {"AWS_ENDPOINT_URL": moto_url, **runtime, **_CREDENTIALS}
        os.environ.update(aws)  # where boto3 reads the endpoint as it makes a client
        self._sagemaker.start(CloudClients(moto_url, REGION))
        outputs, first_key = dict[str, str](), None
        for made in deploy(stacks, session):
            outputs |= made
            if _KEYS in made and FirstKey.is_made_here():
                first_key = FirstKey(made[_KEYS], aws=aws, children=self._children)
        for spec in read_functions(stacks, session, packages=self._home.packages):
            self._functions[spec.name] = FunctionRuntime(
                spec,
                aws=aws,
                children=self._children,
                memory=self._memory,
                scratch=self._home.scratch,
                log=self._log(spec),
            )
        self._start_pollers(session)
        self._start_schedules(session)
        self._start_log_shipping(session)
        routes, gateway = read_api(
            session, port=self._front.port, functions=self._functions, calls=self._front.calls
        )
        self._front.serve(routes, self._functions, gateway)
        variables = {"HEADRACE_URL": self._front.url, **aws}
        variables |= {
            name: outputs[output] for name, output in _OUTPUTS.items() if output in outputs
        }
        if first_key is not None:
            variables["HEADRACE_API_KEY"] = first_key.text()
        self._home.write_env(variables)
        return variables

    def stop(self) -> None:
        """End everything that was started, and remove what tells of it."""
        self._home.env.unlink(missing_ok=True)
        self._front.stop()
        for poller in self._pollers:
            poller.stop()
        if self._schedules is not None:
            self._schedules.stop()
        if self._log_shipping is not None:
            self._log_shipping.stop()
        for function in self._functions.values():
            function.stop()
        self._sagemaker.stop()
        self._memory.stop()
        self._children.kill(self._moto)
        self._children.close()
        self._lock.close()

    def _start_moto(self) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ.get("PATH", os.defpath), **_CREDENTIALS}
        with (self._home.logs / "moto.log").open("ab") as log:
            return self._children.start(
                [sys.executable, "-m", "infra.local.moto_process", self._front.url],
                env=environment,
                cwd=ROOT,
                output=subprocess.PIPE,
                errors=log,
            )

    def _moto_endpoint(self) -> str:
        line = self._moto.stdout.readline() if self._moto.stdout else b""
        if not line.strip():
            raise MotoFailed(self._home.logs / "moto.log")
        return f"http://127.0.0.1:{int(line)}"

    def _start_pollers(self, session: boto3.Session) -> None:
        listed = session.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        for configuration in listed:
            mapping = QueueMapping.read(configuration)
            poller = Poller(mapping, self._functions[mapping.function], session)
            poller.start()
            self._pollers.append(poller)

    def _start_schedules(self, session: boto3.Session) -> None:
        schedules = read_schedules(session, every_s=self._schedules_s)
        self._schedules = Schedules(schedules, self._functions, session.region_name)
        self._schedules.start()

    def _start_log_shipping(self, session: boto3.Session) -> None:
        specs = [function.spec for function in self._functions.values()]
        files = {spec.log_group: self._log(spec) for spec in specs}
        self._log_shipping = LogShipping(files, session)
        self._log_shipping.start()

    def _log(self, spec: FunctionSpec) -> Path:
        return self._home.logs / f"{spec.folder.name}.log"


def _session() -> boto3.Session:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # nothing of the user's account belongs here
    os.environ.update(
        _CREDENTIALS, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull
    )
    session = boto3.Session()
    for service in ("cloudformation", "s3", "lambda", "apigatewayv2", "sqs", "logs", "events"):
        session.client(service)  # it reads its service's model, while moto starts
    return session
