"""The CloudFormation templates of Headrace: `python -m infra.aws`, and what `cdk` runs.

They land in `cdk.out/`, or where CDK_OUTDIR or --outdir says. With --no-bundling third-party
layers are not built and no source is copied: the same templates, to the letter, in seconds. Each
function and each layer names its folder in the template, from the root of the repository, as
`"Metadata": {"headrace:source": "functions/predict"}`; of a third-party layer that folder holds
its requirements.txt. So whoever has a template knows which sources to run.
"""

import argparse

from infra.aws.lambda_python import NoLambdaPython
from infra.aws.node import use_pinned_node


def main() -> None:
    """Synthesise what the command line asks for.

    Raises:
        SystemExit: there is no interpreter that compiles bytecode for Lambda.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.aws", description=__doc__)
    parser.add_argument("--outdir", help="where the templates go")
    parser.add_argument("--no-bundling", action="store_true", help="build no layer, copy no source")
    wanted = parser.parse_args()
    use_pinned_node()
    from infra.aws.app import synthesise  # noqa: PLC0415 - aws_cdk starts Node as it is imported

    try:
        synthesise(wanted.outdir, build_layers=not wanted.no_bundling)
    except NoLambdaPython as missing:
        raise SystemExit(str(missing)) from None


if __name__ == "__main__":
    main()
