"""The container that serves models on GPUs."""

from aws_cdk import Aws, CfnMapping, Stack
from constructs import Construct

from infra.aws.gpu_work import GpuWork
from infra.aws.triton_images import TRITON


class ServingImage(Construct):
    """The stage's own image, or AWS's of the region that is deployed to.

    That region may be known only then: the template carries the table of whose registry has the
    image where, and CloudFormation refuses a region that is not in it.

    Attributes:
        uri: what SageMaker pulls.
        repository_arn: where from.
    """

    def __init__(self, scope: Construct, construct_id: str, *, gpu: GpuWork) -> None:
        super().__init__(scope, construct_id)
        if gpu.image is not None:
            self.uri = gpu.image
            account, _, _, region, *_ = gpu.image.split(".")
            repository = gpu.image.partition("/")[2].partition("@")[0].partition(":")[0]
        else:
            accounts = CfnMapping(
                self,
                "Accounts",
                mapping={region: {"account": owner} for region, owner in TRITON.accounts.items()},
            )
            region, repository = Stack.of(self).region, TRITON.repository
            account = accounts.find_in_map(region, "account")
            self.uri = f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}:{TRITON.tag}"
        self.repository_arn = f"arn:{Aws.PARTITION}:ecr:{region}:{account}:repository/{repository}"
