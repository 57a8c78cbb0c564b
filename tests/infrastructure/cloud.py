"""What a pair of templates promises, read as AWS would and named as the design names it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

Resource = Mapping[str, Any]


class Cloud:
    """Both stacks as one: resources by type, with references told by the names of the outputs."""

    def __init__(self, folder: Path) -> None:
        templates = [json.loads(f.read_text()) for f in sorted(folder.glob("*.template.json"))]
        self.resources: dict[str, Resource] = {}
        self.outputs: dict[str, Any] = {}
        self.mappings: dict[str, Any] = {}
        for template in templates:
            self.resources |= template["Resources"]
            self.outputs |= template["Outputs"]
            self.mappings |= template.get("Mappings", {})
        self._exports = {
            output["Export"]["Name"]: output["Value"]
            for output in self.outputs.values()
            if "Export" in output
        }
        self._names = {
            output["Value"]["Ref"]: _words(name)
            for name, output in self.outputs.items()
            if "Export" not in output and set(output["Value"]) == {"Ref"}
        }
        self._names |= self._queue_names() | self._heavy_names()

    def of_type(self, kind: str) -> dict[str, Resource]:
        """The properties of every resource of *kind*, by id."""
        return {
            key: resource["Properties"]
            for key, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def buckets(self, *names: str) -> list[Resource]:
        """The properties of buckets, by the names of their outputs."""
        every = self.of_type("AWS::S3::Bucket")
        return [every[key] for name in names for key in every if self._names.get(key) == name]

    @property
    def functions(self) -> dict[str, Resource]:
        """The properties of every function, by the folder that it is made of."""
        return {self.folder_of(key): p for key, p in self.of_type("AWS::Lambda::Function").items()}

    def layers_of(self, function: str) -> list[str]:
        """The folders of the layers that *function* sees."""
        return [self.folder_of(layer["Ref"]) for layer in self.functions[function]["Layers"]]

    def environment(self, function: str) -> dict[str, str]:
        """The environment of *function*, references told by name."""
        variables = self.functions[function]["Environment"]["Variables"]
        return {name: self.told(value) for name, value in variables.items()}

    def queue_of(self, function: str) -> str | None:
        """The id of the queue that feeds *function*."""
        for mapping in self.of_type("AWS::Lambda::EventSourceMapping").values():
            if self.woken(mapping["FunctionName"]) == function:
                return mapping["EventSourceArn"]["Fn::GetAtt"][0]
        return None

    def woken(self, value: Any) -> str:
        """The function whose alias `live` *value* names, however it does."""
        aliases = self.of_type("AWS::Lambda::Alias")
        (alias,) = [key for key in aliases if f'"{key}"' in json.dumps(value)]
        assert aliases[alias]["Name"] == "live"
        return self.folder_of(aliases[alias]["FunctionName"]["Ref"])

    def may(self, function: str) -> set[tuple[str, str]]:
        """What *function* may do, as (action, resource); its log and its own queue by that name."""
        properties = self.functions[function]
        own = {properties["LoggingConfig"]["LogGroup"]["Ref"]: "own log"}
        queue = self.queue_of(function)
        if queue is not None:
            own[queue] = "own queue"
        return self.granted(self.told(properties["Role"]), own)

    def granted(self, role: str, own: Mapping[str, str] | None = None) -> set[tuple[str, str]]:
        """What *role* may do, as (action, resource), by its name or its id."""
        return {
            (action, self.told(resource, own) + self._limits(statement))
            for policy in self.of_type("AWS::IAM::Policy").values()
            if role in {self.told(who) for who in policy["Roles"]}
            for statement in policy["PolicyDocument"]["Statement"]
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
        }

    def _limits(self, statement: Mapping[str, Any]) -> str:
        """What *statement* is limited to: an event, `[a: b]`, or values, `[KEY#*]`."""
        condition = statement.get("Condition", {})
        event = condition.get("ForAllValues:StringEquals", {})
        if "events:source" in event:
            return f"[{event['events:source']}: {event['events:detail-type']}]"
        values = [
            self.told(value)
            for limit in condition.values()
            for values in limit.values()
            for value in _listed(values)
        ]
        return f"[{','.join(values)}]" if values else ""

    def dead_letters(self, queue: str) -> str:
        """The id of the queue that takes what *queue*, by its id, cannot get done with."""
        redrive = self.of_type("AWS::SQS::Queue")[queue]["RedrivePolicy"]
        return str(redrive["deadLetterTargetArn"]["Fn::GetAtt"][0])

    def queues(self) -> dict[str, str]:
        """The ids of queues that feed a function, by name: `parquetshards`."""
        return {
            properties["QueueName"].rpartition("-")[2].lower(): key
            for key, properties in self.of_type("AWS::SQS::Queue").items()
            if "QueueName" in properties
        }

    def _queue_names(self) -> dict[str, str]:
        queues = self.queues()
        dead = {self.dead_letters(key): f"dead-{name}" for name, key in queues.items()}
        return dead | {key: name for name, key in queues.items()}

    def _heavy_names(self) -> dict[str, str]:
        """What `provision` is told of SageMaker's role and topics, where there is one."""
        if "provision" not in self.functions:
            return {}
        told = self.functions["provision"]["Environment"]["Variables"]
        return {
            self.told(told["HEADRACE_ROLE_ARN"]): "sagemaker",
            self.told(told["HEADRACE_SUCCESS_TOPIC"]): "succeeded",
            self.told(told["HEADRACE_FAILURE_TOPIC"]): "failed",
            self.told(told["HEADRACE_ALARM_TOPIC"]): "alarms",
        }

    def statements(self) -> Iterator[Mapping[str, Any]]:
        """Every statement that allows something, of whatever policy."""
        for kind, document in (
            ("AWS::IAM::Policy", "PolicyDocument"),
            ("AWS::SQS::QueuePolicy", "PolicyDocument"),
            ("AWS::SNS::TopicPolicy", "PolicyDocument"),
            ("AWS::S3::BucketPolicy", "PolicyDocument"),
            ("AWS::IAM::Role", "AssumeRolePolicyDocument"),
        ):
            for properties in self.of_type(kind).values():
                for statement in properties[document]["Statement"]:
                    if statement["Effect"] == "Allow":
                        yield statement

    def told(self, value: Any, names: Mapping[str, str] | None = None) -> str:
        """*value* as text, its references told by *names*, or by the names of the outputs."""
        names = self._names | (names or {})
        match value:
            case {"Ref": key} | {"Fn::GetAtt": [key, _]}:
                return names.get(key, key)
            case {"Fn::ImportValue": export}:
                return self.told(self._exports[export], names)
            case {"Fn::Join": [between, parts]}:
                return between.join(self.told(part, names) for part in parts)
            case {"Fn::FindInMap": [_, key, column]}:
                return f"{column} of {self.told(key, names)}"
        return str(value)

    def folder_of(self, key: str) -> str:
        """The folder that the function or layer *key* is made of."""
        return self.resources[key]["Metadata"]["headrace:source"].split("/")[1]


def _words(output: str) -> str:
    """`ModelsBucket` as `models`: what a thing is called, without what it is."""
    words = re.sub(r"(Bucket|Table|QueueUrl)$", "", output)
    return words.lower()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
