"""An emulated account, a table that injects errors, and a finished command."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.account.emulator import Emulator

REGION = "eu-central-1"
PROJECT = Path(__file__).parents[2]
_numbers = itertools.count()


def client_error(code: str, status: int = 400) -> ClientError:
    """As botocore raises it."""
    answer: Any = {
        "Error": {"Code": code, "Message": f"{code} it was"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "BatchWriteItem")


class FakeTable:
    """DynamoDB's BatchWriteItem by its rules, and each order's changes as the stream has them.

    A share of calls, and of the items of the others, is turned back.
    """

    def __init__(
        self,
        *,
        throttle: float = 0,
        unprocessed: float = 0,
        poison: Callable[[Any], bool] = lambda _: False,
        error: ClientError | None = None,
        keys: tuple[str, ...] = ("orderid",),
        status: str = "ACTIVE",
    ) -> None:
        self._throttle, self._unprocessed, self._poison = throttle, unprocessed, poison
        self._error, self._keys, self._status = error, keys, status
        self._random = random.Random(1)
        self._lock = threading.Lock()
        self.items: dict[str, Any] = {}
        self.changes: dict[str, list[Any]] = {}
        self.calls: list[int] = []

    def describe_table(self, TableName: str) -> Any:
        keys = [{"AttributeName": key} for key in self._keys]
        return {"Table": {"KeySchema": keys, "TableStatus": self._status}}

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> Any:
        ((table, requests),) = RequestItems.items()
        with self._lock:
            if self._error:
                raise self._error
            assert 1 <= len(requests) <= 25
            orders = [self._order(request) for request in requests]
            assert len(set(orders)) == len(orders), "DynamoDB refuses a batch with duplicates"
            self.calls.append(len(requests))
            if self._random.random() < self._throttle:
                raise client_error("ProvisionedThroughputExceededException")
            back = []
            for order, request in zip(orders, requests, strict=True):
                if self._poison(request) or self._random.random() < self._unprocessed:
                    back.append(request)
                else:
                    self._apply(order, request)
        return {"UnprocessedItems": {table: back} if back else {}}

    def _order(self, request: Any) -> str:
        ((_, inner),) = request.items()
        return (inner.get("Item") or inner["Key"])["orderid"]["S"]

    def _apply(self, order: str, request: Any) -> None:
        old, new = self.items.get(order), request.get("PutRequest", {}).get("Item")
        assert old != new, "the stream has no record of a write that changes nothing"
        self.changes.setdefault(order, []).append(new)
        if new is None:
            del self.items[order]
        else:
            self.items[order] = new


@dataclass
class Account:
    """The emulator, a client for it, and the settings another process needs."""

    emulator: Emulator
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        root = self.emulator.aws.root
        return kept | {
            "AWS_ENDPOINT_URL": self.emulator.aws.emulator_url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def table(self, sort_key: str | None = None) -> str:
        """A new table with a stream."""
        name = f"orders-{next(_numbers)}"
        keys = {"orderid": "HASH"} | ({sort_key: "RANGE"} if sort_key else {})
        self.client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        return name

    def items(self, table: str) -> dict[str, Any]:
        pages = self.client.get_paginator("scan").paginate(TableName=table)
        return {item["orderid"]["S"]: item for page in pages for item in page["Items"]}

    def changes(self, table: str) -> list[Any]:
        """The table's stream, from its beginning."""
        streams = self.emulator.aws.client("dynamodbstreams")
        arn = self.client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        records = []
        for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
            place = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while place:
                answer = streams.get_records(ShardIterator=place)
                records += answer["Records"]
                place = answer.get("NextShardIterator") if answer["Records"] else None
        return records


@dataclass
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Finished]
