"""AWS for the chaos, in a process of its own: `python -m tests.chaos.aws_server`.

It prints its URL once it takes requests, and serves until its input ends. Requests are answered one
after another: AWS's conditional writes are atomic, and moto's are only where none overlap.
"""

import logging
import os
import sys
from collections.abc import Iterable
from threading import Lock, Thread
from typing import Any

# Read by moto: parts of uploads are kilobytes here, and objects are not kept as open files.
os.environ |= {"S3_UPLOAD_PART_MIN_SIZE": "1", "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": str(16 << 20)}

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tests.chaos.quick_moto import hurry


def main() -> None:
    """Serve until the input ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    hurry()
    moto, turn = DomainDispatcherApplication(create_backend_app), Lock()

    def one_at_a_time(environ: Any, start: Any) -> Iterable[bytes]:
        with turn:
            return list(moto(environ, start))

    server = make_server("127.0.0.1", 0, one_at_a_time, True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
