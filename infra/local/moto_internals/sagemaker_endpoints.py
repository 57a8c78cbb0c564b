"""Models, endpoint configs and endpoints as SageMaker keeps them.

What is relied on: `SageMakerModelBackend` keeps them by name in `_models`, `endpoint_configs` and
`endpoints`; a config is checked by `FakeEndpointConfig.validate_production_variants`; an action
is a method of `SageMakerResponse`, found by its name.
"""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model, utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemaker.utils import arn_formatter

from infra.local.moto_internals.sagemaker_channel import tell_of_a_change

_MAX_POOLS = 5


def create_endpoints_as_sagemaker_does() -> None:
    """Let endpoints come up in their time, on every instance there is, and be updated.

    moto's are in service at once, on instances of ten years ago, and take the place of others of
    their name.
    """
    FakeEndpointConfig.validate_production_variants = _check_variants  # type: ignore[assignment,method-assign]
    backend = SageMakerModelBackend
    for method, kept, kind, words in (
        ("create_model", "_models", "model", "model"),
        ("create_endpoint_config", "endpoint_configs", "endpoint-config", "endpoint configuration"),
        ("create_endpoint", "endpoints", "endpoint", "endpoint"),
    ):
        setattr(backend, method, _once(getattr(backend, method), kept, kind, words))
    backend.create_endpoint = _in_its_time(backend.create_endpoint)  # type: ignore[method-assign]
    backend.delete_endpoint = _told(backend.delete_endpoint)  # type: ignore[method-assign]
    backend.update_endpoint_weights_and_capacities = _resized(  # type: ignore[method-assign]
        backend.update_endpoint_weights_and_capacities
    )
    SageMakerResponse.update_endpoint = _update_endpoint  # type: ignore[attr-defined]


def _once(create: Callable[..., Any], kept: str, kind: str, words: str) -> Callable[..., Any]:
    def created(backend: Any, *args: Any, **named: Any) -> Any:
        name = args[0] if args else named[f"{kind.replace('-', '_')}_name"]
        if name in getattr(backend, kept):
            arn = arn_formatter(kind, name, backend.account_id, backend.region_name)
            raise ValidationError(message=f'Cannot create already existing {words} "{arn}".')
        return create(backend, *args, **named)

    return created


def _in_its_time(create: Callable[..., Any]) -> Callable[..., Any]:
    def created(backend: Any, *args: Any, **named: Any) -> Any:
        endpoint = create(backend, *args, **named)
        endpoint.endpoint_status = "Creating"
        _follow_config(endpoint, backend)
        tell_of_a_change()
        return endpoint

    return created


def _told(change: Callable[..., Any]) -> Callable[..., Any]:
    def changed(backend: Any, *args: Any, **named: Any) -> Any:
        result = change(backend, *args, **named)
        tell_of_a_change()
        return result

    return changed


def _resized(update: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the counts of instances that there are to who has them."""

    def updated(backend: Any, *args: Any, **named: Any) -> Any:
        name = args[0] if args else named["endpoint_name"]
        endpoint = backend.endpoints.get(name)
        if endpoint is not None:
            _check_in_service(endpoint)
            before = {one["VariantName"]: dict(one) for one in endpoint.production_variants}
        arn = update(backend, *args, **named)
        for variant in backend.endpoints[name].production_variants:
            was = before[variant["VariantName"]]
            variant["CurrentInstanceCount"] = was["CurrentInstanceCount"]
            if variant["DesiredInstanceCount"] is None:  # only its weight was to change
                variant["DesiredInstanceCount"] = was["DesiredInstanceCount"]
        endpoint.endpoint_status, endpoint.last_modified_time = "Updating", utcnow()
        tell_of_a_change()
        return arn

    return updated


def _check_in_service(endpoint: Any) -> None:
    if endpoint.endpoint_status != "InService":
        raise ValidationError(message=f'Cannot update in-progress endpoint "{endpoint.arn}".')


def _update_endpoint(response: Any) -> ActionResult:
    backend, name = response.sagemaker_backend, response._get_param("EndpointName")  # noqa: SLF001 - what this module is for
    backend.describe_endpoint(name)
    endpoint = backend.endpoints[name]
    _check_in_service(endpoint)
    config_name = response._get_param("EndpointConfigName")  # noqa: SLF001
    backend.describe_endpoint_config(config_name)
    endpoint.endpoint_config_name, endpoint.endpoint_status = config_name, "Updating"
    _follow_config(endpoint, backend)
    tell_of_a_change()
    return ActionResult({"EndpointArn": endpoint.arn})


def _follow_config(endpoint: Any, backend: Any) -> None:
    config = backend.endpoint_configs[endpoint.endpoint_config_name]
    running = sum(one.get("CurrentInstanceCount", 0) for one in endpoint.production_variants)
    if endpoint.endpoint_status == "Creating":
        running = 0
    endpoint.async_inference_config = config.async_inference_config
    endpoint.last_modified_time = utcnow()
    variants = endpoint._process_production_variants(config.production_variants)  # noqa: SLF001
    for variant, configured in zip(variants, config.production_variants, strict=True):
        variant["CurrentInstanceCount"] = running
        pools = sorted(configured.get("InstancePools", []), key=lambda pool: pool["Priority"])
        if pools:
            variant["InstancePools"] = [
                {"InstanceType": pool["InstanceType"], "CurrentInstanceCount": 0} for pool in pools
            ]
    endpoint.production_variants = variants


def _check_variants(config: Any, variants: list[dict[str, Any]]) -> None:
    for variant in variants:
        pools = variant.get("InstancePools")
        if pools is not None:
            _check_pools(variant, pools)
        elif "InstanceType" in variant:
            _check_instance_type(variant["InstanceType"])
        elif "ServerlessConfig" in variant:
            config.validate_serverless_config(variant["ServerlessConfig"])
        else:
            raise ValidationError(message="A variant must name its instances.")


def _check_pools(variant: dict[str, Any], pools: list[dict[str, Any]]) -> None:
    if "InstanceType" in variant:
        raise ValidationError(message="InstanceType and InstancePools exclude each other.")
    if not 1 <= len(pools) <= _MAX_POOLS:
        raise ValidationError(message="InstancePools must have 1 to 5 members.")
    if len({pool["Priority"] for pool in pools}) < len(pools):
        raise ValidationError(message="Each instance pool must have a priority of its own.")
    for pool in pools:
        _check_instance_type(pool["InstanceType"])


def _check_instance_type(instance_type: str) -> None:
    shape: Any = get_service_model("sagemaker").shape_for("ProductionVariantInstanceType")
    known = shape.enum
    if instance_type not in known:
        raise ValidationError(
            message=f"Value '{instance_type}' at 'instanceType' failed to satisfy constraint: "
            f"Member must satisfy enum value set: {known}"
        )
