"""A function in a process of its own, as Lambda runs it: one call after the other.

`python -m tests.benchmarks.gpu_function_work NAME` imports the handler of that function, which
finds its settings in the environment. Each line of its input is an event; for each it prints a
line: what the handler returned, the CPU seconds of the call, and the MB of the process's peak.
"""

import json
import os
import sys
import time
from importlib import import_module

from tests.benchmarks.usage import peak_mb


class Context:
    """What Lambda tells of a call: a whole run's time is left."""

    function_name = "measured"
    memory_limit_in_mb = 3008
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:measured"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def main() -> None:
    """Take calls until there are no more."""
    with os.fdopen(os.dup(1), "w") as answers:
        # What a function prints is the platform's to read.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        handler = import_module(f"functions.{sys.argv[1]}.handler").lambda_handler
        for line in sys.stdin:
            began_s = time.process_time()
            answer = handler(json.loads(line), Context())
            used_s = time.process_time() - began_s
            answers.write(json.dumps([answer, used_s, peak_mb()]) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
