"""DynamoDB's requests, one after another.

What is relied on: each request to moto's DynamoDB runs, to its serialised answer, within
`DynamoHandler.call_action`.
"""

from threading import RLock
from typing import Any

from moto.dynamodb.responses import DynamoHandler


def one_table_request_at_a_time() -> None:
    """Let no two requests to DynamoDB overlap in this process.

    moto copies whole tables before a transaction, which fails while another request writes to
    one, and puts the copies back when it is cancelled, which undoes what others wrote meanwhile.
    """
    answer = DynamoHandler.call_action
    turn = RLock()

    def in_turn(handler: DynamoHandler) -> Any:
        with turn:
            return answer(handler)

    DynamoHandler.call_action = in_turn  # type: ignore[method-assign]
