"""AWS itself, as far as moto plays it: `python -m infra.local.moto_process FRONT_URL`.

A process of its own, so that what it does never holds up the calls that run through the cloud's.
It prints its port once it takes requests.
"""

# ruff: noqa: E402 - collecting garbage while a hundred modules load finds none
import gc

gc.disable()

import logging
import os
import sys
from threading import Event

from moto.server import ThreadedMotoServer

from infra.local.moto_internals.event_rules import let_the_clock_alone_wake_schedules
from infra.local.moto_internals.metric_statistics import (
    let_unknown_statistics_have_no_values,
    tell_metrics_apart_by_all_dimensions,
)
from infra.local.moto_internals.object_events import send_object_events_as_s3_does
from infra.local.moto_internals.plug_ins import forget_known_types
from infra.local.moto_internals.sagemaker_channel import open_channel
from infra.local.moto_internals.sagemaker_endpoints import create_endpoints_as_sagemaker_does
from infra.local.moto_internals.sagemaker_transforms import run_transform_jobs_as_sagemaker_does
from infra.local.moto_internals.stack_updates import update_stacks_in_order
from infra.local.moto_internals.table_requests import one_table_request_at_a_time
from infra.local.resource_types.plugged_in import plug_in_types


def main() -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.WARNING)  # why a request failed, into moto's log
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    plug_in_types(sys.argv[1])
    forget_known_types()
    send_object_events_as_s3_does()
    let_the_clock_alone_wake_schedules()
    update_stacks_in_order()
    one_table_request_at_a_time()
    tell_metrics_apart_by_all_dimensions()
    let_unknown_statistics_have_no_values()
    create_endpoints_as_sagemaker_does()
    run_transform_jobs_as_sagemaker_does()
    open_channel()
    gc.freeze()
    gc.enable()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    # The resource types above call the very server that they are plugged into.
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    print(port, flush=True)  # noqa: T201 - the parent reads it
    Event().wait()


if __name__ == "__main__":
    main()
