"""HTTP APIs, with what belongs to them."""

from typing import Any

from infra.local.moto_internals.plug_ins import Deployed, Properties, ResourceType
from infra.local.resource_types.calls import arguments, client

_GATEWAY = "apigatewayv2"


def http_api(front_url: str) -> ResourceType:
    """Return the type of HTTP APIs.

    Args:
        front_url: where they are served, told as their `ApiEndpoint`.
    """

    def create(name: str, properties: Properties) -> Deployed:
        wanted = {"Name": name, "ProtocolType": "HTTP"} | properties
        made = client(_GATEWAY).create_api(**arguments(_GATEWAY, "CreateApi", wanted))
        return Deployed(made["ApiId"], {"ApiId": made["ApiId"], "ApiEndpoint": front_url})

    return ResourceType("AWS::ApiGatewayV2::Api", create, update=_update_api, delete=_delete_api)


def _update_api(api: Deployed, properties: Properties) -> Deployed:
    wanted = properties | {"ApiId": api.physical_id}
    client(_GATEWAY).update_api(**arguments(_GATEWAY, "UpdateApi", wanted))
    return api


def _delete_api(api: Deployed, _: Properties) -> None:
    client(_GATEWAY).delete_api(ApiId=api.physical_id)


def _part(kind: str, **defaults: object) -> ResourceType:
    """Return the type of a part of an API that has an id of its own.

    Args:
        kind: as in its type's name.
        defaults: properties that the API's call wants and a template may leave out.
    """
    id_name = f"{kind}Id"

    def call(verb: str, properties: dict[str, Any]) -> dict[str, Any]:
        method = getattr(client(_GATEWAY), f"{verb.lower()}_{kind.lower()}")
        answer: dict[str, Any] = method(**arguments(_GATEWAY, f"{verb}{kind}", properties))
        return answer

    def create(_: str, properties: Properties) -> Deployed:
        made = call("Create", defaults | properties)[id_name]
        return Deployed(made, {id_name: made})

    def update(part: Deployed, properties: Properties) -> Deployed:
        call("Update", properties | {id_name: part.physical_id})
        return part

    def delete(part: Deployed, properties: Properties) -> None:
        call("Delete", properties | {id_name: part.physical_id})

    return ResourceType(f"AWS::ApiGatewayV2::{kind}", create, update=update, delete=delete)


def _create_stage(_: str, properties: Properties) -> Deployed:
    client(_GATEWAY).create_stage(**arguments(_GATEWAY, "CreateStage", properties))
    return Deployed(properties["StageName"])


def _delete_stage(stage: Deployed, properties: Properties) -> None:
    client(_GATEWAY).delete_stage(ApiId=properties["ApiId"], StageName=stage.physical_id)


PARTS = (
    _part("Authorizer", IdentitySource=[]),
    _part("Integration"),
    _part("Route"),
    ResourceType("AWS::ApiGatewayV2::Stage", _create_stage, delete=_delete_stage),
)
