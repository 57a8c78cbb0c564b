"""Inside the limited child: limits first, then one piece of work, its answer as JSON lines.

Lines on the answer's pipe, each a JSON object: `{"stage": "ready"}` once all is imported, further
stages as the work names them, and last `{"answer": ...}` or `{"refused": [rule, sentence]}`.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from headrace_runtime.errors import ModelRefused
from headrace_runtime.inference.bare_process import die_with_parent, own_pipe

Report = Callable[[str], None]
Work = Callable[[dict[str, Any], Report], dict[str, Any]]


def answer(work: Work) -> None:
    """Do *work* on the JSON object in `sys.argv[2]` within the limits of `sys.argv[1]`, and exit.

    *work* is called with the object and with a function that reports a stage; it returns the
    answer. What libraries print goes nowhere.
    """
    _limit(json.loads(sys.argv[1]))
    with os.fdopen(own_pipe(), "w") as pipe:

        def say(**line: object) -> None:
            pipe.write(json.dumps(line) + "\n")
            pipe.flush()

        say(stage="ready")
        try:
            say(answer=work(json.loads(sys.argv[2]), lambda stage: say(stage=stage)))
        except ModelRefused as refusal:
            say(refused=[refusal.rule, refusal.sentence])
        except MemoryError:
            say(stage="out of memory")
    # Destructors of a hostile model's session could still crash: leave without them.
    os._exit(0)


def _limit(limits: dict[str, int]) -> None:
    die_with_parent()
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CORE, 0),
        # No new process and no new thread, whatever the user has running already. Root is exempt.
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(kind, (value, value))
    # The soft limit names the cause (SIGXCPU), the hard one a second later ends what ignores it.
    cpu_s = limits["cpu_s"]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
