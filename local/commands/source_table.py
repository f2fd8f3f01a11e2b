"""A table that is older than the stack: its items are there before its stream is switched on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from local.errors import UsageError
from schema.commands.sources import SourceError, read

_BATCH = 25
"""Items in a BatchWriteItem request, at most."""


def from_files(dynamodb: Any, described: Mapping[str, Any], items: Path | None) -> None:
    """Make a table, with the items of a file.

    Parameters
    ----------
    items:
        What `schema.commands.sources.read` takes: lines of DynamoDB JSON, the answer of a scan, or
        the folder of an export.

    Raises
    ------
    UsageError
        The file cannot be read, or DynamoDB rejects the table or an item.
    """
    try:
        make(dynamodb, described, read(items, most=2**63) if items else ())
    except SourceError as error:
        raise UsageError(str(error)) from None
    except (ClientError, ParamValidationError) as error:
        text = " ".join(str(error).split())
        raise UsageError(f"table {described['TableName']}: {text}") from None


def described_in(file: Path) -> dict[str, Any]:
    """The description of a table in a file, as CreateTable takes it.

    The file is what ``aws dynamodb create-table --cli-input-json`` takes, or the answer of
    ``describe-table``: of that, the keys and the stream.

    Raises
    ------
    UsageError
        There is none.
    """
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{file}: not JSON: {error}") from None
    answer = described.get("Table") if isinstance(described, dict) else None
    if isinstance(answer, dict) and answer.keys() >= {"KeySchema", "AttributeDefinitions"}:
        described = _again(answer)
    if not isinstance(described, dict) or "TableName" not in described:
        raise UsageError(
            f"{file}: not a table, as `aws dynamodb create-table --cli-input-json` takes it or "
            "`describe-table` answers: there is no TableName"
        )
    return described


def _again(table: Mapping[str, Any]) -> dict[str, Any]:
    keys = {key["AttributeName"] for key in table["KeySchema"]}
    types = [one for one in table["AttributeDefinitions"] if one["AttributeName"] in keys]
    same = {name: table[name] for name in ("TableName", "StreamSpecification") if name in table}
    return {
        **same,
        "KeySchema": table["KeySchema"],
        "AttributeDefinitions": types,
        "BillingMode": "PAY_PER_REQUEST",
    }


def make(
    dynamodb: Any, described: Mapping[str, Any], items: Iterable[Mapping[str, Mapping[str, Any]]]
) -> None:
    """Create the table, put the items (in DynamoDB JSON), and then switch its stream on.

    The stream therefore does not have the items, as that of an older table does not.
    """
    table = described["TableName"]
    dynamodb.create_table(**{k: v for k, v in described.items() if k != "StreamSpecification"})
    dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    waiting = iter(items)
    while some := list(islice(waiting, _BATCH)):
        puts = [{"PutRequest": {"Item": _with_bytes({"M": item})["M"]}} for item in some]
        left = {table: puts}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")
    if stream := described.get("StreamSpecification"):
        dynamodb.update_table(TableName=table, StreamSpecification=stream)


def _with_bytes(value: Mapping[str, Any]) -> dict[str, Any]:
    """A value of a JSON document as boto3 takes it: bytes, not their base64."""
    ((tag, content),) = value.items()
    match tag:
        case "B" if isinstance(content, str):
            return {tag: base64.b64decode(content)}
        case "BS":
            return {tag: [_with_bytes({"B": one})["B"] for one in content]}
        case "M":
            return {tag: {name: _with_bytes(one) for name, one in content.items()}}
        case "L":
            return {tag: [_with_bytes(one) for one in content]}
    return {tag: content}
