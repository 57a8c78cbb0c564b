"""What must survive: the stored bytes and the tables."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.aws.keyed_table import Index, KeyedTable
from infra.aws.private_bucket import PrivateBucket
from infra.aws.stage import Stage

# The two halves of the models bucket: what anyone may drop, and what is served.
DROPPED = "models/*"
ARTIFACTS = "artifacts/*"
# For how long it is known who asked for which object.
ACCESSES_DAYS = 90
# What a job's shards leave in the results bucket until its one file is made of them, and for how
# long: nobody needs them after that, whatever became of the job.
PARTS = "_parts/"
PARTS_DAYS = 7
# What SageMaker is given and gives back: bodies of shards, lists of them for transform jobs,
# outputs, and what is told of failures; and for how long: no body may wait nearly as long.
BODIES, MANIFESTS, OUTPUTS, FAILURES = "in/*", "manifests/*", "out/*", "failed/*"
STAGING_DAYS = 3
# Counters of calls leave the table of keys and policies by themselves, and what of a job is of
# use only for a while leaves the table of jobs.
EXPIRES_AT = "expires_at_s"
# Jobs by the day that they came, and those that have not ended by when they last moved.
BY_DAY = Index("by_day", "day", "created")
UNFINISHED = Index("unfinished", "unfinished", "changed_at")


class StateStack(Stack):
    """Buckets and tables. Deleting the stack leaves every one of them where it is."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, **stack: Any) -> None:
        super().__init__(scope, construct_id, **stack)
        accesses = PrivateBucket(
            self, "Accesses", accesses=None, tells=False, kept_days=ACCESSES_DAYS
        ).bucket
        self.models = PrivateBucket(self, "Models", accesses=accesses).bucket
        self.inbox = PrivateBucket(
            self, "Inbox", accesses=accesses, kept_days=stage.inbox_days
        ).bucket
        self.results = PrivateBucket(
            self,
            "Results",
            accesses=accesses,
            kept_days=stage.results_days,
            passing={PARTS: PARTS_DAYS},
        ).bucket
        # Thousands of objects a job, that nobody wants to be woken by.
        self.staging = PrivateBucket(
            self,
            "Staging",
            accesses=accesses,
            tells=False,
            kept_days=STAGING_DAYS,
            regrets_days=1,
        ).bucket
        self.registry = KeyedTable(self, "Registry").table
        self.jobs = KeyedTable(
            self, "Jobs", expires_at=EXPIRES_AT, indexes=(BY_DAY, UNFINISHED)
        ).table
        self.access = KeyedTable(self, "Access", expires_at=EXPIRES_AT).table
        CfnOutput(self, "AccessesBucket", value=accesses.bucket_name)
        CfnOutput(self, "ModelsBucket", value=self.models.bucket_name)
        CfnOutput(self, "InboxBucket", value=self.inbox.bucket_name)
        CfnOutput(self, "ResultsBucket", value=self.results.bucket_name)
        CfnOutput(self, "StagingBucket", value=self.staging.bucket_name)
        CfnOutput(self, "RegistryTable", value=self.registry.table_name)
        CfnOutput(self, "JobsTable", value=self.jobs.table_name)
        CfnOutput(self, "AccessTable", value=self.access.table_name)
