"""Tables in the local cloud hold under calls at the same time, as DynamoDB's do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config

from tests.e2e.conftest import Cloud

WRITERS = 8
ROUNDS = 10
# So many that copying the table takes longer than a thread's turn.
THERE = 1000


@pytest.fixture
def dynamodb(probe: Cloud) -> Iterator[Any]:
    """A client that never tries twice, and a table `raced` of many items."""
    client = probe.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    client.create_table(
        TableName="raced",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    for start in range(0, THERE, 25):
        items = [{"pk": {"S": f"there-{number}"}} for number in range(start, start + 25)]
        client.batch_write_item(
            RequestItems={"raced": [{"PutRequest": {"Item": item}} for item in items]}
        )
    yield client
    client.delete_table(TableName="raced")


def test_racing_transactions_and_writes_lose_nothing(dynamodb: Any) -> None:
    cancelled = dynamodb.exceptions.TransactionCanceledException

    def write(writer: int) -> None:
        for number in range(ROUNDS):
            item = {"pk": {"S": f"{writer}-{number}"}}
            if writer % 2:
                dynamodb.put_item(TableName="raced", Item=item)
                continue
            put = {"TableName": "raced", "Item": item}
            dynamodb.transact_write_items(TransactItems=[{"Put": put}])
            taken = put | {"ConditionExpression": "attribute_not_exists(pk)"}
            with pytest.raises(cancelled):  # and is undone, itself alone
                dynamodb.transact_write_items(TransactItems=[{"Put": taken}])

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))

    items = dynamodb.scan(TableName="raced")["Items"]
    assert len(items) == THERE + WRITERS * ROUNDS
