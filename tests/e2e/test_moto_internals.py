"""Each private thing of moto that the local cloud relies on, so that an upgrade says what broke."""

import importlib
import inspect
from datetime import UTC, datetime

import pytest
from moto.cloudformation import parsing
from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase, Statistics
from moto.core.common_models import CloudFormationModel
from moto.core.responses import BaseResponse
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler
from moto.events.models import EventBus, EventsBackend, Rule, events_backends
from moto.moto_api._internal import urls
from moto.s3 import notifications
from moto.sagemaker.models import (
    FakeEndpoint,
    FakeEndpointConfig,
    FakeTransformJob,
    SageMakerModelBackend,
    sagemaker_backends,
)
from moto.sagemaker.responses import SageMakerResponse

from infra.local.moto_internals.stack_updates import in_order


def test_a_direct_subclass_is_a_resource_type_and_a_later_one_takes_its_place() -> None:
    source = inspect.getsource(parsing.get_model_list)

    assert "CloudFormationModel.__subclasses__()" in source
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        assert hasattr(cached, "cache_clear")


def test_a_resource_type_is_asked_for_what_a_plug_in_answers() -> None:
    contract = {
        "cloudformation_name_type",
        "cloudformation_type",
        "has_cfn_attr",
        "create_from_cloudformation_json",
        "is_created",
    }

    assert contract <= set(vars(CloudFormationModel))
    assert "physical_resource_id" in inspect.getsource(parsing.clean_json)
    assert "get_cfn_attribute" in inspect.getsource(parsing.clean_json)
    assert list(inspect.signature(CloudFormationModel.create_from_cloudformation_json).parameters)[
        :4
    ] == ["resource_name", "cloudformation_json", "account_id", "region_name"]


def test_s3_tells_event_bridge_by_the_function_that_is_replaced() -> None:
    parameters = inspect.signature(notifications._send_event_bridge_message).parameters

    assert list(parameters) == ["account_id", "bucket", "event_name", "key"]
    assert "_send_event_bridge_message(" in inspect.getsource(notifications.send_event)
    assert notifications._detail_type("s3:ObjectCreated:Put") == "Object Created"


def test_a_rule_takes_an_event_from_its_bus() -> None:
    parameters = inspect.signature(Rule.send_to_targets).parameters

    assert list(parameters) == ["self", "original_event", "transform_input"]
    backend = events_backends["123456789012"]["eu-west-1"]
    assert isinstance(backend, EventsBackend)
    assert isinstance(backend.event_buses["default"], EventBus)
    assert backend.event_buses["default"].rules == {}


def test_ec2_reads_its_tables_by_the_names_that_are_replaced() -> None:
    tables = inspect.getsource(importlib.import_module("moto.ec2.models.instance_types"))
    regions = inspect.getsource(
        importlib.import_module("moto.ec2.models.availability_zones_and_regions")
    )

    assert "from moto.utilities.utils import load_resource" in tables
    assert 'load_resource("ec2/' in tables
    assert "from boto3 import Session" in regions


def test_a_table_request_runs_within_the_method_that_takes_turns() -> None:
    assert list(inspect.signature(DynamoHandler.call_action).parameters) == ["self"]
    assert "self.serialized(" in inspect.getsource(BaseResponse.call_action)
    # Once it copies no tables, there is no need for turns.
    assert "copy.deepcopy(" in inspect.getsource(DynamoDBBackend.transact_write_items)


def test_statistics_are_chosen_by_the_method_that_is_replaced() -> None:
    parameters = inspect.signature(MetricDatumBase.filter).parameters

    assert list(parameters) == [
        "self",
        "namespace",
        "name",
        "dimensions",
        "already_present_metrics",
    ]
    assert "md.filter(None, None, dimensions)" in inspect.getsource(
        CloudWatchBackend.get_metric_statistics
    )
    assert "already_present_metrics=" in inspect.getsource(CloudWatchBackend.get_filtered_metrics)


def test_what_is_asked_of_metrics_at_once_is_answered_by_query() -> None:
    assert list(inspect.signature(CloudWatchBackend.get_metric_data).parameters) == [
        "self",
        "queries",
        "start_time",
        "end_time",
        "scan_by",
    ]
    # Once a percentile has a value, there is nothing to leave out.
    assert (
        Statistics(["p99"], datetime(2026, 11, 23, tzinfo=UTC)).get_statistics_for_type("p99")
        is None
    )


def test_an_update_is_the_method_that_is_replaced_and_works_on_what_it_worked_on() -> None:
    parameters = inspect.signature(parsing.ResourceMap.update).parameters
    source = inspect.getsource(parsing.ResourceMap)

    assert list(parameters) == ["self", "template", "parameters"]
    for relied_on in ("_resource_json_map", "_parsed_resources", "def _delete_resource("):
        assert relied_on in source
    assert "parse_and_update_resource(" in inspect.getsource(parsing.ResourceMap.update)


def test_resources_are_changed_after_those_that_they_refer_to() -> None:
    resources = {
        "Alias": {"Properties": {"FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]}}},
        "Route": {"Properties": {"Uri": {"Fn::Sub": "arn:${AWS::Partition}:${Alias}/x"}}},
        "Version": {"Properties": {"FunctionName": {"Ref": "Function"}}},
        "Function": {"DependsOn": "Role"},
        "Role": {},
    }

    assert in_order(resources) == ["Role", "Function", "Version", "Alias", "Route"]


def test_a_rule_with_a_schedule_is_one_that_takes_any_event() -> None:
    function = {"Id": "f", "Arn": "arn:aws:lambda:eu-west-1:123456789012:function:f"}
    rule = Rule(
        "r", "123456789012", "eu-west-1", None, None, "rate(5 minutes)", None, "default", None
    )
    rule.targets = [function]

    assert rule.scheduled_expression == "rate(5 minutes)"
    # Once it takes none, or a function as well, there is nothing to keep from it.
    with pytest.raises(RuntimeError, match="not defined"):
        rule.send_to_targets({"source": "headrace"}, transform_input=False)


def test_a_command_of_sagemakers_is_a_method_found_by_its_name() -> None:
    # Once moto has them, there is nothing to add.
    for action in ("update_endpoint", "stop_transform_job"):
        assert not hasattr(SageMakerResponse, action)
    assert "method_names_from_class(self.__class__)" in inspect.getsource(BaseResponse.call_action)
    assert "self.sagemaker_backend.create_endpoint(" in inspect.getsource(
        SageMakerResponse.create_endpoint
    )


def test_sagemakers_resources_are_kept_by_name_where_they_are_changed() -> None:
    backend = sagemaker_backends["123456789012"]["eu-west-1"]
    for kept in ("_models", "endpoint_configs", "endpoints", "transform_jobs"):
        assert getattr(backend, kept) == {}
    described = inspect.getsource(FakeEndpoint.__init__)
    for attribute in ("endpoint_status", "failure_reason", "last_modified_time"):
        assert f"self.{attribute}" in described
    # Once an endpoint takes its time, and a job too, there is nothing to hold back.
    assert 'self.endpoint_status = "InService"' in described
    assert 'self.transform_job_status = "Completed"' in inspect.getsource(FakeTransformJob.__init__)
    assert "v is not None" in inspect.getsource(FakeTransformJob.response_object.fget)


def test_instances_are_checked_by_the_method_that_is_replaced() -> None:
    parameters = inspect.signature(FakeEndpointConfig.validate_production_variants).parameters

    assert list(parameters) == ["self", "production_variants"]
    assert "self.validate_production_variants(production_variants)" in inspect.getsource(
        FakeEndpointConfig.__init__
    )
    # Once these are taken, there is nothing to replace.
    assert "ml.g5." not in inspect.getsource(FakeEndpointConfig.validate_instance_type)


def test_the_count_of_instances_is_changed_by_the_method_that_is_wrapped() -> None:
    source = inspect.getsource(SageMakerModelBackend.update_endpoint_weights_and_capacities)

    assert 'variant["CurrentInstanceCount"] = desired_instance_count' in source
    assert 'endpoint.endpoint_status = "InService"' in source


def test_motos_own_api_finds_its_handlers_in_the_table_that_is_added_to() -> None:
    assert all(path.startswith("{0}/moto-api/") for path in urls.url_paths)
    assert list(inspect.signature(urls.url_paths["{0}/moto-api/reset"]).parameters) == [
        "request",
        "full_url",
        "headers",
    ]
