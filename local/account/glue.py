"""What the emulator's Glue lacks: partitions that match an expression, and versions of a table.

The gateway checks signature and permission first.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.account.aws import Credentials
from local.errors import AwsError

Ask = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""One call to the emulator as root: ``ask(action, request) -> response``, or raises AwsError."""

_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: lambda a, b: bool(a == b),
    exp.NEQ: lambda a, b: bool(a != b),
    exp.LT: lambda a, b: bool(a < b),
    exp.LTE: lambda a, b: bool(a <= b),
    exp.GT: lambda a, b: bool(a > b),
    exp.GTE: lambda a, b: bool(a >= b),
}
_INTEGERS = ("tinyint", "smallint", "int", "bigint")


class Glue:
    """Glue's actions that are answered here."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._older: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._lock = threading.Lock()
        self.actions = {
            "GetPartitions": self._get_partitions,
            "BatchDeletePartition": self._batch_delete_partition,
            "CreateTable": self._create_table,
            "UpdateTable": self._update_table,
            "GetTableVersions": self._get_table_versions,
            "DeleteTableVersion": self._delete_table_version,
        }

    # -- partitions ------------------------------------------------------------------------------

    def _get_partitions(self, request: dict[str, Any], _: Credentials) -> dict[str, Any]:
        answer = self._ask("GetPartitions", request)
        expression = request.get("Expression")
        if expression:
            table = self._ask("GetTable", _named(request))["Table"]
            keys = {key["Name"].lower(): key["Type"].lower() for key in table["PartitionKeys"]}
            matches = condition(expression, keys)
            answer["Partitions"] = [
                one
                for one in answer["Partitions"]
                if matches(dict(zip(keys, one["Values"], strict=True)))
            ]
        return answer

    def _batch_delete_partition(self, request: dict[str, Any], _: Credentials) -> dict[str, Any]:
        table = {one: request[one] for one in ("DatabaseName", "TableName")}
        known = [one["Values"] for one in self._ask("GetPartitions", table)["Partitions"]]
        errors = []
        for wanted in request.get("PartitionsToDelete", ()):
            if wanted["Values"] in known:
                self._ask("DeletePartition", {**table, "PartitionValues": wanted["Values"]})
            else:
                detail = {
                    "ErrorCode": "EntityNotFoundException",
                    "ErrorMessage": "Partition not found.",
                }
                errors.append({"PartitionValues": wanted["Values"], "ErrorDetail": detail})
        return {"Errors": errors}

    # -- versions --------------------------------------------------------------------------------

    def _create_table(self, request: dict[str, Any], _: Credentials) -> dict[str, Any]:
        answer = self._ask("CreateTable", request)
        with self._lock:  # of a table of this name that was deleted
            self._older.pop(_key(request, request["TableInput"]["Name"]), None)
        return answer

    def _update_table(self, request: dict[str, Any], _: Credentials) -> dict[str, Any]:
        name = request["TableInput"]["Name"]
        with self._lock:
            before = self._ask("GetTable", {**_named(request), "Name": name})["Table"]
            answer = self._ask("UpdateTable", request)
            if not request.get("SkipArchive"):
                self._older[_key(request, name)].append(before)
        return answer

    def _get_table_versions(self, request: dict[str, Any], _: Credentials) -> dict[str, Any]:
        table = self._ask("GetTable", _named(request))["Table"]
        with self._lock:
            older = list(self._older.get(_key(request, request["TableName"]), ()))
        return {
            "TableVersions": [
                {"Table": one, "VersionId": _version(one)} for one in [table, *reversed(older)]
            ]
        }

    def _delete_table_version(self, request: dict[str, Any], _: Credentials) -> dict[str, Any]:
        wanted = request["VersionId"]
        table = self._ask("GetTable", _named(request))["Table"]
        if _version(table) == wanted:
            raise AwsError("InvalidInputException", "Cannot delete the latest version of a table.")
        with self._lock:
            older = self._older.get(_key(request, request["TableName"]), [])
            for one in older:
                if _version(one) == wanted:
                    older.remove(one)
                    return {}
        raise AwsError("EntityNotFoundException", f"Table version {wanted} not found.")


def _key(request: Mapping[str, Any], name: str) -> tuple[str, str]:
    return request["DatabaseName"], name


def _version(table: Mapping[str, Any]) -> str:
    # The emulator counts from 1, Glue from 0.
    return str(table.get("VersionId", "1"))


def _named(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"DatabaseName": request["DatabaseName"], "Name": request.get("TableName")}


def condition(expression: str, keys: Mapping[str, str]) -> Callable[[Mapping[str, str]], bool]:
    """What tells if a partition's values satisfy GetPartitions' expression.

    Parameters
    ----------
    keys:
        The types of the partition columns.

    Raises
    ------
    AwsError
        It is none, or uses more than comparisons with literals, IN, AND, OR and NOT.
    """
    try:
        tree = sqlglot.parse_one(expression, dialect="hive")
    except SqlglotError:
        raise AwsError("InvalidInputException", f"Unsupported expression '{expression}'") from None
    _holds(tree, dict.fromkeys(keys, None), keys, expression)
    return lambda values: _holds(tree, values, keys, expression)


def _holds(
    node: exp.Expr,
    values: Mapping[str, str | None],
    keys: Mapping[str, str],
    expression: str,
) -> bool:
    """Does it hold? Every part is looked at, so that a bad one is found whatever the values."""
    if isinstance(node, exp.Paren):
        return _holds(node.this, values, keys, expression)
    if isinstance(node, exp.Not):
        return not _holds(node.this, values, keys, expression)
    if isinstance(node, (exp.And, exp.Or)):
        both = [_holds(one, values, keys, expression) for one in (node.left, node.right)]
        return all(both) if isinstance(node, exp.And) else any(both)
    compare = _COMPARISONS.get(type(node), _COMPARISONS[exp.EQ])
    literals = (
        node.expressions
        if isinstance(node, exp.In)
        else [node.expression]
        if type(node) in _COMPARISONS
        else []
    )
    column = node.this
    if (
        not literals
        or not isinstance(column, exp.Column)
        or column.name.lower() not in keys
        or not all(isinstance(one, exp.Literal) for one in literals)
    ):
        raise AwsError(
            "InvalidInputException",
            f"'{node.sql()}' in the expression '{expression}': this local Glue knows comparisons "
            "of a partition key with a literal, IN, AND, OR and NOT",
        )
    kind = keys[column.name.lower()]
    wanted = [_typed(one.this, kind, expression) for one in literals]
    found = values[column.name.lower()]
    return found is not None and any(compare(_typed(found, kind, expression), w) for w in wanted)


def _typed(value: str, kind: str, expression: str) -> Any:
    try:
        if kind in _INTEGERS:
            return int(value)
        if kind == "date":
            return date.fromisoformat(value)
    except ValueError:
        raise AwsError(
            "InvalidInputException", f"'{value}' is no {kind}, in the expression '{expression}'"
        ) from None
    if kind == "string" or kind.startswith(("varchar", "char")):
        return value
    raise AwsError(
        "InvalidInputException", f"this local Glue compares no partition key of type {kind}"
    )
