"""What must survive: the stored bytes and the tables."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.aws.keyed_table import KeyedTable
from infra.aws.private_bucket import PrivateBucket


class StateStack(Stack):
    """Buckets and tables. Deleting the stack leaves every one of them where it is."""

    def __init__(self, scope: Construct, construct_id: str, **stack: Any) -> None:
        super().__init__(scope, construct_id, **stack)
        self.models = PrivateBucket(self, "Models").bucket
        self.inbox = PrivateBucket(self, "Inbox").bucket
        self.results = PrivateBucket(self, "Results").bucket
        self.registry = KeyedTable(self, "Registry").table
        self.jobs = KeyedTable(self, "Jobs").table
        CfnOutput(self, "ModelsBucket", value=self.models.bucket_name)
        CfnOutput(self, "InboxBucket", value=self.inbox.bucket_name)
        CfnOutput(self, "ResultsBucket", value=self.results.bucket_name)
        CfnOutput(self, "RegistryTable", value=self.registry.table_name)
        CfnOutput(self, "JobsTable", value=self.jobs.table_name)
