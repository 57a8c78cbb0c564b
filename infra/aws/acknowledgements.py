"""Findings of cdk-nag's rule packs that we live with, each with its reason.

A test holds that there is no other finding, and that each of these is still needed.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a construct: `AwsSolutions-L1` of `HeadraceProdService/…`."""

    rule: str
    path: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A kind of finding that is right as it is.

    Attributes:
        rule: the rule's name, a regular expression.
        path: constructs that may be found, a regular expression that their path ends with.
        reason: why it is right.
    """

    rule: str
    path: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether *finding* is of this kind."""
        return bool(
            re.fullmatch(self.rule, finding.rule) and re.search(f"{self.path}$", finding.path)
        )


ACKNOWLEDGEMENTS = (
    Acknowledgement(
        rule="AwsSolutions-L1|Serverless-LambdaLatestVersion",
        path="/Function/Resource",
        reason="Layers and their bytecode are made for Python 3.13, which AWS supports until 2029; "
        "the runtime moves when the layers do.",
    ),
    Acknowledgement(
        rule=r"AwsSolutions-IAM5\[Resource::\*\]",
        path="/Role/DefaultPolicy/Resource",
        reason="PutTraceSegments and PutTelemetryRecords of X-Ray know no resources; granted only "
        "where the stage wants traces. GetMetricData and ListMetrics of CloudWatch know none "
        "either; `observe` alone has them. Nor do what lists of SageMaker and of its scaling, "
        "which `provision` alone has; and SageMaker's own role gets a token of ECR's and tells "
        "metrics, in its own namespaces. A test holds that nothing else has a star.",
    ),
    Acknowledgement(
        rule=r"AwsSolutions-IAM5\[Resource::.*(Models|Inbox|Results|Staging)Bucket.*"
        r"/(models/|artifacts/|inbox/|in/|manifests/|out/|failed/)?\*\]",
        path="/Role/DefaultPolicy/Resource",
        reason="Objects are named when they come: exact actions, on one prefix of one bucket. A "
        "test lists who may do what, to the letter.",
    ),
    Acknowledgement(
        rule=r"AwsSolutions-IAM5\[Resource::arn:.*:"
        r"(sagemaker:.*:(model|endpoint|endpoint-config|transform-job)/"
        r"|cloudwatch:.*:alarm:(TargetTracking-endpoint/)?)hr-[a-z0-9]+-\*\]",
        path="/(Calls/Predict|HeavyDoor/(HandOff|Collect|Provisioner/Function))"
        "/Role/DefaultPolicy/Resource",
        reason="Endpoints come and go with the versions of models, and transform jobs with jobs: "
        "exact actions, on names that begin as those of this stage do.",
    ),
    Acknowledgement(
        rule=r"AwsSolutions-IAM5\[Resource::arn:.*:application-autoscaling:.*:scalable-target/\*\]",
        path="/Provisioner/Function/Role/DefaultPolicy/Resource",
        reason="AWS itself chooses the ids of what scales; a condition leaves SageMaker's alone.",
    ),
    Acknowledgement(
        rule=r"AwsSolutions-IAM5\[Resource::arn:.*:log-group:/aws/sagemaker/\*\]",
        path="/SageMaker/Role/DefaultPolicy/Resource",
        reason="SageMaker itself names the logs of containers, and writes them with this role.",
    ),
    Acknowledgement(
        rule="AwsSolutions-APIG4",
        path=r"/GET \|v2\|health\|(live|ready)",
        reason="Load balancers and monitors ask whether the service stands, and have no key. The "
        "answer is the same for all, and tells nothing else.",
    ),
    Acknowledgement(
        rule="AwsSolutions-APIG4",
        path=r"/OPTIONS \|{proxy\+}",
        reason="Browsers ask beforehand without a credential, and API Gateway itself answers them. "
        "Any other OPTIONS call is refused by the function: it lists no such open route.",
    ),
    Acknowledgement(
        rule="Serverless-LambdaDLQ",
        path="/Function/Resource",
        reason="The API waits for an answer, and a queue has dead letters of its own. Only `sweep` "
        "and `provision` are invoked asynchronously, and the next run of either finds what one "
        "that failed left.",
    ),
    Acknowledgement(
        rule="Serverless-LambdaAsyncFailureDestination|Serverless-EventBusDLQ",
        path="/(Sweeper|Provisioner)/((Sweep|Function)/Live/EventInvokeConfig|Clock)/Resource",
        reason="An event of the clock says nothing that the next one does not say; that sweep "
        "or provision keeps failing an alarm tells.",
    ),
    Acknowledgement(
        rule="Serverless-LambdaEventSourceMappingDestination",
        path="/SqsEventSource:[^/]+/Resource",
        reason="Destinations are for streams: a message that keeps failing goes where its queue's "
        "redrive policy says.",
    ),
    Acknowledgement(
        rule="Serverless-SQSRedrivePolicy",
        path="/DeadLetters/Resource",
        reason="These are the dead-letter queues: what is in them waits for a person.",
    ),
    Acknowledgement(
        rule="Serverless-SNSRedrivePolicy",
        path="/Topic/[^/]+@[^/]+/Resource",
        reason="Mail has no dead letters: AWS sends it again for an hour, and the alarm stays red.",
    ),
)
