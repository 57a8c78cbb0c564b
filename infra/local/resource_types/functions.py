"""What belongs to functions: layers, versions, aliases, and how they are woken."""

from infra.local.moto_internals.plug_ins import Deployed, Properties, ResourceType
from infra.local.resource_types.calls import arguments, client

_LAMBDA = "lambda"


def _create_layer(name: str, properties: Properties) -> Deployed:
    wanted = {"LayerName": name} | properties
    made = client(_LAMBDA).publish_layer_version(
        **arguments(_LAMBDA, "PublishLayerVersion", wanted)
    )
    return Deployed(made["LayerVersionArn"], {"LayerVersionArn": made["LayerVersionArn"]})


def _create_version(_: str, properties: Properties) -> Deployed:
    made = client(_LAMBDA).publish_version(**arguments(_LAMBDA, "PublishVersion", properties))
    arn = f"{made['FunctionArn'].partition(':function:')[0]}:function:{made['FunctionName']}"
    qualified = f"{arn}:{made['Version']}"
    return Deployed(qualified, {"Version": str(made["Version"]), "FunctionArn": qualified})


def _create_alias(_: str, properties: Properties) -> Deployed:
    made = client(_LAMBDA).create_alias(**arguments(_LAMBDA, "CreateAlias", properties))
    return Deployed(made["AliasArn"], {"AliasArn": made["AliasArn"]})


def _update_alias(alias: Deployed, properties: Properties) -> Deployed:
    client(_LAMBDA).update_alias(**arguments(_LAMBDA, "UpdateAlias", properties))
    return alias


def _delete_alias(_: Deployed, properties: Properties) -> None:
    client(_LAMBDA).delete_alias(FunctionName=properties["FunctionName"], Name=properties["Name"])


def _create_mapping(_: str, properties: Properties) -> Deployed:
    if str(properties.get("Enabled", True)).lower() == "false":
        return Deployed("disabled")
    # Disabled for moto, whose own poller delivers one message a call, with invented attributes,
    # and deletes it whatever comes of it.
    wanted = properties | {"Enabled": False}
    made = client(_LAMBDA).create_event_source_mapping(
        **arguments(_LAMBDA, "CreateEventSourceMapping", wanted)
    )
    return Deployed(made["UUID"], {"Id": made["UUID"]})


def _delete_mapping(mapping: Deployed, _: Properties) -> None:
    client(_LAMBDA).delete_event_source_mapping(UUID=mapping.physical_id)


def _create_event_invoke_config(_: str, properties: Properties) -> Deployed:
    client(_LAMBDA).put_function_event_invoke_config(
        **arguments(_LAMBDA, "PutFunctionEventInvokeConfig", properties)
    )
    return Deployed(f"{properties['FunctionName']}|{properties['Qualifier']}")


def _delete_event_invoke_config(_: Deployed, properties: Properties) -> None:
    client(_LAMBDA).delete_function_event_invoke_config(FunctionName=properties["FunctionName"])


def _keep_version(version: Deployed, _: Properties) -> Deployed:
    return version


TYPES = (
    ResourceType("AWS::Lambda::LayerVersion", _create_layer, named_by="LayerName"),
    ResourceType("AWS::Lambda::Version", _create_version, update=_keep_version),
    ResourceType("AWS::Lambda::Alias", _create_alias, update=_update_alias, delete=_delete_alias),
    ResourceType("AWS::Lambda::EventSourceMapping", _create_mapping, delete=_delete_mapping),
    ResourceType(
        "AWS::Lambda::EventInvokeConfig",
        _create_event_invoke_config,
        delete=_delete_event_invoke_config,
    ),
)
