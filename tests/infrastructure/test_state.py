"""What must survive does, and nobody else sees it."""

import pytest

from tests.infrastructure.cloud import Cloud
from tests.worlds import JOBS_INDEXES

KEEPS_DATA = ("AWS::S3::Bucket", "AWS::DynamoDB::Table")


def test_every_bucket_is_closed_to_the_public(cloud: Cloud):
    for bucket in cloud.of_type("AWS::S3::Bucket").values():
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        owner = bucket["OwnershipControls"]["Rules"]
        assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_every_bucket_is_encrypted_and_versioned(cloud: Cloud):
    for bucket in cloud.of_type("AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_every_bucket_forgets_unfinished_uploads_and_old_versions(cloud: Cloud):
    for key, bucket in cloud.of_type("AWS::S3::Bucket").items():
        (rule,) = [r for r in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" not in r]
        assert rule["Status"] == "Enabled"
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        days = 1 if cloud.told({"Ref": key}) == "staging" else 30
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": days}


def test_what_sagemaker_is_given_and_gives_is_gone_in_three_days(cloud: Cloud):
    (staging,) = cloud.buckets("staging")
    (rule,) = staging["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 3


def test_the_stage_says_how_long_dropped_files_and_results_are_kept(cloud: Cloud):
    for bucket in cloud.buckets("inbox", "results"):
        (rule,) = [r for r in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" not in r]
        assert rule["ExpirationInDays"] == 7
    (models,) = cloud.buckets("models")
    assert "ExpirationInDays" not in models["LifecycleConfiguration"]["Rules"][0]


def test_what_shards_leave_is_gone_in_a_week_and_a_day_even_where_results_stay(full: Cloud):
    passing = [
        (key, rule)
        for key, bucket in full.of_type("AWS::S3::Bucket").items()
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "Prefix" in rule
    ]
    ((key, rule),) = passing
    assert full.told({"Ref": key}) == "results"
    assert rule == {
        "Prefix": "_parts/",
        "Status": "Enabled",
        "ExpirationInDays": 7,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }


def test_every_access_to_a_bucket_is_written_into_another(cloud: Cloud):
    for bucket in cloud.buckets("models", "inbox", "results", "staging"):
        where = bucket["LoggingConfiguration"]
        assert cloud.told(where["DestinationBucketName"]) == "accesses"
    for statement in cloud.statements():
        if statement["Principal" if "Principal" in statement else "Effect"] == {
            "Service": "logging.s3.amazonaws.com"
        }:
            assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]


def test_counters_of_calls_and_what_passes_of_jobs_leave_by_themselves(cloud: Cloud):
    expiring = {
        cloud.told({"Ref": key}): table["TimeToLiveSpecification"]
        for key, table in cloud.of_type("AWS::DynamoDB::Table").items()
        if "TimeToLiveSpecification" in table
    }
    wanted = {"AttributeName": "expires_at_s", "Enabled": True}
    assert expiring == {"access": wanted, "jobs": wanted}


def test_jobs_are_found_by_day_and_while_they_have_not_ended(cloud: Cloud):
    indexes = {
        cloud.told({"Ref": key}): {
            index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
            for index in table.get("GlobalSecondaryIndexes", [])
        }
        for key, table in cloud.of_type("AWS::DynamoDB::Table").items()
    }
    # The same as the world that the other tests share.
    assert indexes == {"access": {}, "registry": {}, "jobs": JOBS_INDEXES}


def test_an_index_holds_whole_items(cloud: Cloud):
    for table in cloud.of_type("AWS::DynamoDB::Table").values():
        for index in table.get("GlobalSecondaryIndexes", []):
            assert index["Projection"] == {"ProjectionType": "ALL"}


def test_every_bucket_that_people_use_tells_eventbridge_what_happens_in_it(cloud: Cloud):
    telling = [
        bucket
        for bucket in cloud.of_type("AWS::S3::Bucket").values()
        if "NotificationConfiguration" in bucket
    ]
    assert len(telling) == 3
    for bucket in cloud.buckets("models", "inbox", "results"):
        assert bucket["NotificationConfiguration"] == {
            "EventBridgeConfiguration": {"EventBridgeEnabled": True}
        }


def test_every_bucket_is_reached_by_modern_tls_alone(cloud: Cloud):
    refusals = {
        policy["Bucket"]["Ref"]: [
            statement["Condition"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and statement["Principal"] == {"AWS": "*"}
        ]
        for policy in cloud.of_type("AWS::S3::BucketPolicy").values()
    }
    for bucket in cloud.of_type("AWS::S3::Bucket"):
        assert {"Bool": {"aws:SecureTransport": "false"}} in refusals[bucket]
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in refusals[bucket]


def test_every_queue_is_encrypted_and_reached_by_tls_alone(cloud: Cloud):
    refusing = {
        policy["Queues"][0]["Ref"]
        for policy in cloud.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    queues = cloud.of_type("AWS::SQS::Queue")
    assert refusing == set(queues)
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


def test_every_table_is_paid_by_request_encrypted_and_restorable(cloud: Cloud):
    for table in cloud.of_type("AWS::DynamoDB::Table").values():
        assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}
        restorable = table["PointInTimeRecoverySpecification"]
        assert restorable == {"PointInTimeRecoveryEnabled": True}
        assert table["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("kind", KEEPS_DATA)
def test_what_keeps_data_outlives_its_stack(cloud: Cloud, kind: str):
    kept = [r for r in cloud.resources.values() if r["Type"] == kind]
    assert kept
    for resource in kept:
        assert resource["DeletionPolicy"] == "Retain"
        assert resource["UpdateReplacePolicy"] == "Retain"


def test_the_outputs_name_what_callers_and_the_local_cloud_need(cloud: Cloud):
    named = {name for name, output in cloud.outputs.items() if "Export" not in output}
    assert named == {
        "Url",
        "AccessTable",
        "AccessesBucket",
        "ModelsBucket",
        "InboxBucket",
        "ResultsBucket",
        "StagingBucket",
        "RegistryTable",
        "JobsTable",
        "ShardsQueueUrl",
    }


def test_nothing_works_by_a_custom_resource(cloud: Cloud):
    kinds = {resource["Type"] for resource in cloud.resources.values()}
    assert not {k for k in kinds if k.startswith(("Custom::", "AWS::CloudFormation::"))}
