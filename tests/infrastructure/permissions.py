"""Who may do what, to the letter: (action, resource), things by the names of their outputs."""

LOG = {("logs:CreateLogStream", "own log"), ("logs:PutLogEvents", "own log")}
OWN_QUEUE = {
    ("sqs:ChangeMessageVisibility", "own queue"),
    ("sqs:DeleteMessage", "own queue"),
    ("sqs:GetQueueAttributes", "own queue"),
    ("sqs:GetQueueUrl", "own queue"),
    ("sqs:ReceiveMessage", "own queue"),
}


def read(things: str) -> set[tuple[str, str]]:
    return {("s3:GetObject", things), ("s3:GetObjectVersion", things)}


def listed(bucket: str) -> set[tuple[str, str]]:
    return {("s3:ListBucket", bucket), ("s3:ListBucketVersions", bucket)}


def put(things: str) -> set[tuple[str, str]]:
    return {("s3:PutObject", things), ("s3:AbortMultipartUpload", things)}


def read_items(table: str) -> set[tuple[str, str]]:
    return {("dynamodb:GetItem", table), ("dynamodb:Query", table)}


def indexed(table: str, index: str) -> set[tuple[str, str]]:
    return {("dynamodb:Query", f"{table}/index/{index}")}


def sent(*queues: str) -> set[tuple[str, str]]:
    return {("sqs:SendMessage", queue) for queue in queues}


def counted(*queues: str) -> set[tuple[str, str]]:
    return {("sqs:GetQueueAttributes", queue) for queue in queues}


def moved(queue: str) -> set[tuple[str, str]]:
    verbs = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
    return {(f"sqs:{verb}", f"dead-{queue}") for verb in verbs} | sent(queue)


def write_items(table: str) -> set[tuple[str, str]]:
    verbs = ("ConditionCheckItem", "PutItem", "UpdateItem")
    return {(f"dynamodb:{verb}", table) for verb in verbs}


def of_account(service: str, thing: str) -> str:
    return f"arn:AWS::Partition:{service}:AWS::Region:AWS::AccountId:{thing}"


def on(thing: str, service: str, *verbs: str) -> set[tuple[str, str]]:
    return {(f"{service}:{verb}", thing) for verb in verbs}


BUS = of_account("events", "event-bus/default")
TELLS = {("events:PutEvents", f"{BUS}[headrace: Job Ended]")}
TELLS_OF_VERSIONS = {("events:PutEvents", f"{BUS}[headrace: Versions Moved]")}
# What is SageMaker's and this stage's.
MODELS = of_account("sagemaker", "model/hr-dev-*")
ENDPOINTS = of_account("sagemaker", "endpoint/hr-dev-*")
CONFIGS = of_account("sagemaker", "endpoint-config/hr-dev-*")
TRANSFORMS = of_account("sagemaker", "transform-job/hr-dev-*")
IMAGE = (
    "arn:AWS::Partition:ecr:AWS::Region:account of AWS::Region:repository/sagemaker-tritonserver"
)
SCALING = "sagemaker.application-autoscaling.amazonaws.com"
SCALING_ROLE = f"{SCALING}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
# Of whichever function works shards.
WORKS_SHARDS = (
    LOG
    | OWN_QUEUE
    | sent("own queue")
    | listed("inbox")
    | read("inbox/*")
    | read("models/artifacts/*")
    | listed("results")
    | read("results/*")
    | put("results/*")
    | {("s3:DeleteObject", "results/_parts/*")}
    | read_items("registry")
    | read_items("jobs")
    | write_items("jobs")
    | sent("handoff")
    | TELLS
)
# Of whichever function has shards answered by SageMaker.
WORKS_ON_GPUS = (
    LOG
    | OWN_QUEUE
    | sent("own queue", "shards", "parquetshards")
    | listed("inbox")
    | read("inbox/*")
    | listed("staging")
    | read_items("registry")
    | read_items("jobs")
    | write_items("jobs")
    | on(TRANSFORMS, "sagemaker", "DescribeTransformJob", "StopTransformJob")
)

# Nothing less than this, and nothing more.
MAY = {
    "predict": LOG
    | read("models/artifacts/*")
    | read_items("registry")
    | on(ENDPOINTS, "sagemaker", "InvokeEndpoint")
    | {("dynamodb:Query", "access[POLICIES]")},
    "authorise": LOG
    | {("dynamodb:GetItem", "access[KEYS]"), ("dynamodb:UpdateItem", "access[COUNT#*]")},
    "grant": LOG
    | {(f"dynamodb:{verb}", "access[KEYS]") for verb in ("Query", "PutItem", "UpdateItem")}
    | {
        (f"dynamodb:{verb}", "access[POLICIES]")
        for verb in ("GetItem", "Query", "PutItem", "DeleteItem")
    },
    # CloudWatch knows no resource, nor a condition, by which reading metrics could be narrowed.
    "observe": LOG
    | {("cloudwatch:GetMetricData", "*"), ("cloudwatch:ListMetrics", "*")}
    | {("dynamodb:Query", "access[POLICIES]")},
    "manage": LOG
    | put("models/models/*")
    | read_items("registry")
    | write_items("registry")
    | TELLS_OF_VERSIONS
    | {("dynamodb:Query", "access[POLICIES]")},
    "submit": LOG
    | put("inbox/inbox/*")
    | read("inbox/*")
    | read("results/*")
    | read_items("registry")
    | read_items("jobs")
    | write_items("jobs")
    | indexed("jobs", "by_day")
    | sent("shards", "parquetshards", "collected")
    | {("dynamodb:Query", "access[POLICIES]")},
    "redrive": LOG
    | moved("models")
    | moved("files")
    | moved("shards")
    | moved("parquetshards")
    | moved("webhooks")
    | moved("handoff")
    | moved("collected")
    | moved("provision")
    | {("dynamodb:Query", "access[POLICIES]")},
    "register": LOG
    | OWN_QUEUE
    | listed("models")
    | read("models/models/*")
    | read("models/artifacts/*")
    | put("models/artifacts/*")
    | read_items("registry")
    | write_items("registry")
    | TELLS_OF_VERSIONS,
    "intake": LOG
    | OWN_QUEUE
    | listed("inbox")
    | read("inbox/*")
    | listed("results")
    | read("results/*")
    | put("results/*")
    | read_items("registry")
    | read_items("jobs")
    | write_items("jobs")
    | sent("own queue", "shards", "parquetshards", "handoff")
    | TELLS,
    "batch": WORKS_SHARDS,
    "batch_parquet": WORKS_SHARDS,
    "sweep": LOG
    | listed("inbox")
    | listed("results")
    | read("results/*")
    | read_items("jobs")
    | {("dynamodb:BatchGetItem", "jobs")}
    | write_items("jobs")
    | indexed("jobs", "unfinished")
    | sent("files", "shards", "parquetshards", "handoff", "collected")
    | counted("shards", "parquetshards", "handoff", "collected")
    | TELLS,
    "notify": LOG | OWN_QUEUE | {("dynamodb:GetItem", "jobs")},
    "hand_off": WORKS_ON_GPUS
    | TELLS_OF_VERSIONS
    | sent("collected")
    | put("staging/in/*")
    | put("staging/manifests/*")
    | on(ENDPOINTS, "sagemaker", "InvokeEndpointAsync")
    | on(f"{TRANSFORMS}[{MODELS}]", "sagemaker", "CreateTransformJob"),
    "collect": WORKS_ON_GPUS
    | TELLS
    | read("staging/out/*")
    | put("staging/failed/*")
    | on("staging/in/*", "s3", "DeleteObject")
    | on("staging/out/*", "s3", "DeleteObject")
    | listed("results")
    | read("results/*")
    | put("results/*")
    | on("results/_parts/*", "s3", "DeleteObject")
    | sent("handoff"),
    "provision": LOG
    | OWN_QUEUE
    | read_items("registry")
    | on("registry[MODEL#*]", "dynamodb", "PutItem", "DeleteItem")
    | indexed("jobs", "unfinished")
    | on("jobs[GPU#*]", "dynamodb", "GetItem", "PutItem")
    | on(MODELS, "sagemaker", "CreateModel", "DeleteModel")
    | on(CONFIGS, "sagemaker", "CreateEndpointConfig", "DescribeEndpointConfig")
    | on(CONFIGS, "sagemaker", "DeleteEndpointConfig", "CreateEndpoint")
    | on(ENDPOINTS, "sagemaker", "CreateEndpoint", "DescribeEndpoint", "DeleteEndpoint")
    | on(TRANSFORMS, "sagemaker", "DescribeTransformJob")
    | on("*", "sagemaker", "ListModels", "ListEndpoints", "ListEndpointConfigs")
    | on("*", "sagemaker", "ListTransformJobs")
    | on("sagemaker[sagemaker.amazonaws.com]", "iam", "PassRole")
    | {
        (f"application-autoscaling:{verb}", of_account("application-autoscaling", thing))
        for thing in ("scalable-target/*[sagemaker]",)
        for verb in (
            "RegisterScalableTarget",
            "DeregisterScalableTarget",
            "PutScalingPolicy",
            "DeleteScalingPolicy",
        )
    }
    | on("*", "application-autoscaling", "DescribeScalableTargets", "DescribeScalingPolicies")
    | on(ENDPOINTS, "sagemaker", "UpdateEndpointWeightsAndCapacities")
    | {
        (f"cloudwatch:{verb}", of_account("cloudwatch", f"alarm:{name}"))
        for name in ("hr-dev-*", "TargetTracking-endpoint/hr-dev-*")
        for verb in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms")
    }
    | on(
        f"arn:AWS::Partition:iam::AWS::AccountId:role/aws-service-role/{SCALING_ROLE}[{SCALING}]",
        "iam",
        "CreateServiceLinkedRole",
    ),
}
GPU_ONLY = {"hand_off", "collect", "provision"}
# All of them know no resource that could be named; the list above says who has them.
STARRED = {
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListModels",
    "sagemaker:ListEndpoints",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListTransformJobs",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
}
