"""A bucket that keeps what it is given, for nobody but its owner."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

# For how long what was overwritten or removed can be had back, if nothing else is said.
REGRETS_DAYS = 30


class PrivateBucket(Construct):
    """Versioned, encrypted, never public, reached by TLS 1.2 alone; it outlives its stack.

    What happens in it is told to EventBridge, where anybody wants to know: to our own rules,
    and to whatever else a user of the account wants to wake.

    Args:
        accesses: the bucket that is told who asked for what; none for that bucket itself.
        tells: whether EventBridge is told what happens in it.
        kept_days: after how many days an object is removed; 0 never.
        regrets_days: for how long what was overwritten or removed can be had back.
        passing: prefixes of objects that are worth nothing after so many days; removed, they
            cannot be had back after one more.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        accesses: s3.IBucket | None,
        tells: bool = True,
        kept_days: int = 0,
        regrets_days: int = REGRETS_DAYS,
        passing: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                    noncurrent_version_expiration=Duration.days(regrets_days),
                    expiration=Duration.days(kept_days) if kept_days else None,
                ),
                *(
                    # Where two rules hold, S3 follows the one that removes first.
                    s3.LifecycleRule(
                        prefix=prefix,
                        noncurrent_version_expiration=Duration.days(1),
                        expiration=Duration.days(days),
                    )
                    for prefix, days in (passing or {}).items()
                ),
            ],
            server_access_logs_bucket=accesses,
            server_access_logs_prefix=f"{construct_id.lower()}/" if accesses else None,
        )
        if tells:
            self._tell_event_bridge()

    def _tell_event_bridge(self) -> None:
        # Not `event_bridge_enabled=True`: that one works by a custom resource.
        resource = self.bucket.node.default_child
        if not isinstance(resource, s3.CfnBucket):
            message = f"{self.node.path} is not made of a bucket."
            raise TypeError(message)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
