"""New code answers a share of calls first, and is taken back by itself."""

import json

from infra.aws.routes import ROUTES
from tests.infrastructure.cloud import Cloud

ANSWERING = {*ROUTES, "authorise"}


def test_new_code_of_every_function_that_answers_is_tried_first(full: Cloud):
    moved = {
        full.folder_of(alias["Properties"]["FunctionName"]["Ref"])
        for alias in full.resources.values()
        if alias["Type"] == "AWS::Lambda::Alias" and "UpdatePolicy" in alias
    }
    assert moved == ANSWERING
    (config,) = full.of_type("AWS::CodeDeploy::DeploymentConfig").values()
    assert config["TrafficRoutingConfig"]["TimeBasedCanary"] == {
        "CanaryInterval": 5,
        "CanaryPercentage": 20,
    }


def test_code_whose_alarms_ring_is_taken_back(full: Cloud):
    alarms = full.of_type("AWS::CloudWatch::Alarm")
    for group in full.of_type("AWS::CodeDeploy::DeploymentGroup").values():
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        of_version, of_api = (
            alarms[alarm["Name"]["Ref"]] for alarm in group["AlarmConfiguration"]["Alarms"]
        )
        dimensions = {d["Name"] for d in of_version["Dimensions"]}
        assert dimensions == {"FunctionName", "Resource", "ExecutedVersion"}
        assert "5xx" in json.dumps(of_api["Metrics"])


def test_codedeploy_may_move_one_alias_and_see_its_alarms(full: Cloud):
    roles = {
        key
        for key, role in full.of_type("AWS::IAM::Role").items()
        if "codedeploy" in json.dumps(role["AssumeRolePolicyDocument"])
    }
    assert len(roles) == len(ANSWERING)
    for policy in full.of_type("AWS::IAM::Policy").values():
        if policy["Roles"][0]["Ref"] in roles:
            move, see = policy["PolicyDocument"]["Statement"]
            assert move["Action"] == [
                "lambda:GetAlias",
                "lambda:GetProvisionedConcurrencyConfig",
                "lambda:UpdateAlias",
            ]
            assert len(move["Resource"]) == 2
            assert see["Action"] == "cloudwatch:DescribeAlarms"


def test_a_stage_without_a_trial_has_no_codedeploy(cloud: Cloud):
    assert not cloud.of_type("AWS::CodeDeploy::DeploymentGroup")


def test_predict_starts_from_a_snapshot_where_the_stage_says_so(full: Cloud, cloud: Cloud):
    snapshots = {name for name, function in full.functions.items() if "SnapStart" in function}
    assert snapshots == {"predict"}
    assert full.functions["predict"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert full.environment("predict")["HEADRACE_WARM_MODELS"] == "digits,spam@3"
    assert full.functions["predict"]["EphemeralStorage"] == {"Size": 512}
    assert not [name for name, function in cloud.functions.items() if "SnapStart" in function]


def test_sandboxes_of_predict_wait_where_the_stage_says_so(signed: Cloud):
    waiting = {
        signed.folder_of(alias["FunctionName"]["Ref"]): alias["ProvisionedConcurrencyConfig"]
        for alias in signed.of_type("AWS::Lambda::Alias").values()
        if "ProvisionedConcurrencyConfig" in alias
    }
    assert waiting == {"predict": {"ProvisionedConcurrentExecutions": 3}}
