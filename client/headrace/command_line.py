"""The `headrace` command line: the SDK's methods as commands, for people and for scripts."""

import sys
from typing import Any

import click

from headrace.access_commands import keys, policies
from headrace.dead_letter_commands import dead_letters, redrive
from headrace.failures import ApiError
from headrace.job_commands import cancel, job, jobs, results
from headrace.metric_commands import metrics
from headrace.model_commands import models, predict, publish
from headrace.submit_commands import plan, retry, submit
from headrace_runtime.errors import HeadraceError


class _Group(click.Group):
    """Commands whose known failures are one sentence on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ApiError as error:
            trail = f" (request {error.request_id})" if error.request_id else ""
            raise click.ClickException(f"{error.sentence}{trail}") from None
        except HeadraceError as error:
            raise click.ClickException(error.sentence) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--url", envvar="HEADRACE_URL", help="Where the service answers.  [default: $HEADRACE_URL]"
)
@click.option("--api-key", envvar="HEADRACE_API_KEY", help="[default: $HEADRACE_API_KEY]")
@click.version_option(package_name="headrace")
@click.pass_context
def main(ctx: click.Context, url: str | None, api_key: str | None) -> None:
    """Publish models, ask them, and send them files.

    The service is named by --url or $HEADRACE_URL. Errors show the service's own sentence on
    stderr and exit with status 1.
    """
    ctx.obj = {"url": url, "api_key": api_key}


COMMANDS: tuple[click.Command, ...] = (
    *(submit, plan, jobs, job, cancel, results, retry),
    *(models, predict, publish, metrics),
    *(keys, policies, dead_letters, redrive),
)
for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    sys.exit(main())
