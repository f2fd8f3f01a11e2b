"""The generator against the common alternative: Faker per field, one `put_item` at a time."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import boto3
from faker import Faker

from benchmarks.result import Result, one_core, rates
from generator import Plan, operations, write
from generator.catalogue import GADGETS, customers
from generator.target import dynamodb
from local.account.emulator import Emulator

ROUNDS: Final = 5
MADE, MADE_BY_PEER = 50_000, 2_000
WRITTEN, WRITTEN_BY_PEER = 4_000, 400
REGION: Final = "us-east-1"


def make() -> Result:
    """Orders generated per second, on one core."""
    customers()  # fill the pool before timing; the peer's Faker is set up beforehand too
    fake = Faker()
    products = [gadget.name for gadget in GADGETS]

    def ours() -> int:
        return sum(1 for _ in operations(Plan(count=MADE, updates=0, deletes=0, seed=1)))

    def peer() -> int:
        for _ in range(MADE_BY_PEER):
            _faked(fake, products)
        return MADE_BY_PEER

    with one_core():
        return _compare("generator_make", ours, peer, goal=5, unit="orders/s")


def write_table() -> Result:
    """Changes written per second, each time into a new table of the same emulator."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Emulator(Path(directory), region=REGION) as emulator,
    ):
        root = emulator.aws.root
        session = boto3.Session(root.access_key_id, root.secret_access_key, region_name=REGION)
        usual = session.client("dynamodb", endpoint_url=emulator.aws.emulator_url)
        client = dynamodb(endpoint_url=emulator.aws.emulator_url, session=session)
        names = (f"orders-{number}" for number in itertools.count())

        def ours() -> int:
            table = _new_table(usual, next(names))
            return write(client, table, operations(Plan(count=WRITTEN, seed=1))).written

        def peer() -> int:
            table = _new_table(usual, next(names))
            orders = operations(Plan(count=WRITTEN_BY_PEER, updates=0, deletes=0, seed=1))
            for order in orders:
                usual.put_item(TableName=table, Item=order.item)
            return WRITTEN_BY_PEER

        return _compare("generator_write", ours, peer, goal=5, unit="changes/s")


def _compare(
    name: str, ours: Callable[[], int], peer: Callable[[], int], *, goal: float, unit: str
) -> Result:
    us, them = rates(ours, peer, rounds=ROUNDS)
    return Result(name=name, ours=us, peer=them, ratio=us / them, goal=goal, unit=unit)


def _faked(fake: Faker, products: list[str]) -> dict[str, Any]:
    return {
        "orderid": fake.uuid4(),
        "product_name": fake.random_element(products),
        "quantity": fake.random_int(1, 10),
        "price": fake.pydecimal(left_digits=4, right_digits=2, positive=True),
        "customer": fake.name(),
        "status": fake.random_element(("placed", "paid", "shipped", "delivered", "cancelled")),
        "created_at": fake.date_time_this_year().isoformat(),
    }


def _new_table(client: Any, name: str) -> str:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "orderid", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "orderid", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


BENCHMARKS: dict[str, Callable[[], Result]] = {
    "generator_make": make,
    "generator_write": write_table,
}
