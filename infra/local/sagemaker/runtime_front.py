"""The address of SageMaker's runtime: HTTP on 127.0.0.1, with a thread for each connection."""

import logging
import socket
from collections.abc import Callable
from threading import Thread

from infra.local.http_answer import Answer
from infra.local.sagemaker.refusals import Refusal, too_large
from infra.local.sagemaker.runtime import MAX_BODY_BYTES
from infra.local.wire import Connection, Request, WireError

# boto3 keeps a connection for as long as its client lives.
_IDLE_S = 600.0

_log = logging.getLogger(__name__)


class RuntimeFront:
    """A server of what *answer* answers, from the moment that it is set."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._answer: Callable[[Request], Answer] | None = None

    def serve(self, answer: Callable[[Request], Answer]) -> None:
        """Take calls, in the background; those that came before waited."""
        self._answer = answer
        Thread(target=self._accept, name="sagemaker-runtime", daemon=True).start()

    def stop(self) -> None:
        """Take no more calls."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:  # closed
                return
            Thread(target=self._converse, args=(accepted,), daemon=True).start()

    def _converse(self, accepted: socket.socket) -> None:
        connection = Connection(accepted)
        accepted.settimeout(_IDLE_S)
        try:
            while (request := connection.read_request(max_body_bytes=MAX_BODY_BYTES)) is not None:
                answer = self._answered(request)
                connection.respond(answer.status, list(answer.headers), answer.body)
                if not request.keep_alive:
                    break
        except WireError as error:
            answer = too_large(MAX_BODY_BYTES)
            try:
                headers = [*answer.headers, ("connection", "close")]
                connection.respond(error.status, headers, answer.body)
            except OSError:
                pass
            connection.close(drain=True)
            return
        except OSError:  # the caller left
            pass
        connection.close()

    def _answered(self, request: Request) -> Answer:
        try:
            if self._answer is not None:
                return self._answer(request)
        except Exception:  # noqa: BLE001 - whatever it is, the caller gets an answer
            _log.exception("the runtime failed on %s", request.target)
        return Refusal("InternalFailure", "The runtime failed; the cloud's log says why.").answer()
