"""What the emulator's TTL deletes, in ministack's own thread for it, here without its minute."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.engine.stack import ROOT

PROGRAM = """
import json, threading, time
sleep = time.sleep
time.sleep = lambda seconds: sleep(0.2 if seconds == 60 else seconds)  # the reaper's minute
from local.account import expiry
from ministack.services import dynamodb
key = {"AttributeName": "id"}
view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
dynamodb._create_table({
    "TableName": "carts", "BillingMode": "PAY_PER_REQUEST", "StreamSpecification": view,
    "KeySchema": [key | {"KeyType": "HASH"}],
    "AttributeDefinitions": [key | {"AttributeType": "S"}],
})
dynamodb._update_ttl({
    "TableName": "carts", "TimeToLiveSpecification": {"AttributeName": "at", "Enabled": True}
})
for name, at in (("old", 1), ("new", 9_999_999_999)):
    dynamodb._put_item({"TableName": "carts", "Item": {"id": {"S": name}, "at": {"N": str(at)}}})
deadline = time.monotonic() + 20
while len(dynamodb._stream_records["carts"]) < 3 and time.monotonic() < deadline:
    sleep(0.05)
dynamodb._delete_item({"TableName": "carts", "Key": {"id": {"S": "new"}}})
print(json.dumps(dynamodb._stream_records["carts"]))
"""


def test_an_expired_item_leaves_a_change_record_of_the_service() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=os.environ | {"MINISTACK_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout.splitlines()[-1])
    told = [
        (one["eventName"], one["dynamodb"]["Keys"]["id"]["S"], one.get("userIdentity"))
        for one in records
    ]
    service = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    assert told == [
        ("INSERT", "old", None),
        ("INSERT", "new", None),
        ("REMOVE", "old", service),
        ("REMOVE", "new", None),
    ]
    assert records[2]["dynamodb"]["OldImage"] == {"id": {"S": "old"}, "at": {"N": "1"}}
