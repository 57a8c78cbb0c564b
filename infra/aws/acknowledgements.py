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
        "either; `observe` alone has them. A test holds that nothing else has a star.",
    ),
    Acknowledgement(
        rule=r"AwsSolutions-IAM5\[Resource::.*(Models|Inbox|Results)Bucket.*"
        r"/(models/|artifacts/|inbox/)?\*\]",
        path="/Role/DefaultPolicy/Resource",
        reason="Objects are named when they come: exact actions, on one prefix of one bucket. A "
        "test lists who may do what, to the letter.",
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
        "is invoked asynchronously, and the next sweep finds what one that failed left.",
    ),
    Acknowledgement(
        rule="Serverless-LambdaAsyncFailureDestination|Serverless-EventBusDLQ",
        path="/Sweeper/(Sweep/Live/EventInvokeConfig|Clock)/Resource",
        reason="An event of the clock says nothing that the next one does not say; that sweep "
        "keeps failing an alarm tells.",
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
