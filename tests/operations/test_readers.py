"""`python -m operate privacy` names exactly those who may read each place."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from operate.privacy import READERS
from tests.components.component_support import Deployed
from tests.operations.test_policies import policies, short

_OBJECTS = frozenset({"s3:GetObject"})
_ITEMS = frozenset({"dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:BatchGetItem"})
_WRITTEN = frozenset({"dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:BatchWriteItem"})
"""What can answer with the item that it changes."""
READING = {
    "table": (_ITEMS | _WRITTEN, "dynamodb table/orders-table"),
    "table's stream": ({"dynamodb:GetRecords"}, "dynamodb table/orders-table/stream/LABEL"),
    "Kinesis stream": ({"kinesis:GetRecords"}, "kinesis stream/bridge-stream"),
    "old versions of all of these": ({"s3:GetObjectVersion"}, "s3 lake-bucket/some-object"),
}


@pytest.mark.parametrize("place", READERS)
def test_the_page_names_everyone_who_may_read_a_place(everything: Deployed, place: str) -> None:
    prefix = place.replace("NAME", "orders")
    actions, resource = READING.get(place, (_OBJECTS, f"s3 lake-bucket/{prefix}some-object"))
    found = {
        name.removesuffix("-policy").replace("access-", "")
        for name, document in policies(everything)
        for statement in document["Statement"]
        if actions & set(statement["Action"])
        and any(fnmatchcase(resource, short(one)) for one in statement["Resource"])
    }
    assert found == set(READERS[place])
