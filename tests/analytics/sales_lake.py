"""A lake of sales with known content: the changes made, and their messy arrival."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import duckdb
import sqlglot
from sqlglot import exp

from analytics import Query, load_views
from generator import Plan, operations
from schema import ORDERS

DAYS = 10
DATABASE = "sales_cdc_test"
_EVENTS = {"insert": "INSERT", "update": "MODIFY", "delete": "REMOVE"}
_DUCKDB = {"string": "VARCHAR", "int": "INTEGER", "timestamp": "TIMESTAMP"}


@dataclass(frozen=True, eq=False)
class Change:
    """One change; `order` is the new state, or for a delete the one before it."""

    event: str
    order: dict[str, Any]
    made: datetime
    event_id: str
    sequence: str

    @property
    def orderid(self) -> str:
        return self.order["orderid"]


@dataclass(frozen=True)
class Row:
    """One event row in the lake: a change or a copy of it, with its partition and time."""

    change: Change
    partition: datetime
    stored: datetime
    keys_only: bool

    @property
    def day(self) -> str:
        return f"{self.partition:%Y-%m-%d}"

    @property
    def values(self) -> list[Any]:
        order = {} if self.keys_only else self.change.order
        image = [order.get(column.name) for column in ORDERS.columns]
        image[0] = self.change.orderid
        change = self.change
        envelope = [None, change.event, change.made, change.event_id, change.sequence, None]
        where = [self.day, f"{self.partition:%H}", self.stored.replace(tzinfo=UTC)]
        return [*image, *envelope, *where]


class Lake:
    """Some 900 changes in the `DAYS` before `now`, with duplicates, late arrivals, disorder."""

    def __init__(self, now: datetime, *, seed: int = 32) -> None:
        self.now = now
        self._random = random.Random(seed)
        self.changes = self._changes(seed)
        self.rows = [row for change in self.changes for row in self._rows(change)]
        self._random.shuffle(self.rows)

    def _changes(self, seed: int) -> list[Change]:
        made = list(operations(Plan(count=450, updates=0.45, deletes=0.05, seed=seed)))
        ages = sorted((self._random.uniform(60, DAYS * 86_400) for _ in made), reverse=True)
        placed: dict[str, datetime] = {}
        changes = []
        for i, (operation, age) in enumerate(zip(made, ages, strict=True)):
            at = self.now - timedelta(milliseconds=int(age * 1000))
            placed.setdefault(operation.orderid, at - timedelta(milliseconds=40))
            order = {
                "orderid": operation.orderid,
                "product_name": operation.item["product_name"]["S"],
                "quantity": int(operation.item["quantity"]["N"]),
                "price": Decimal(operation.item["price"]["N"]),
                "customer": operation.item["customer"]["S"],
                "status": operation.item["status"]["S"],
                "created_at": placed[operation.orderid],
            }
            changes.append(
                Change(_EVENTS[operation.kind], order, at, f"event-{i:05}", f"{100_000 + i:040}")
            )
        return changes

    def _rows(self, change: Change) -> list[Row]:
        """A change's copies: most arrive once and soon, some late, some again days later."""
        delays = [timedelta(seconds=self._random.randint(1, 90))]
        if self._random.random() < 0.06:
            delays[0] += timedelta(hours=self._random.choice([2, 9, 30]))
        if self._random.random() < 0.12:
            delays += [delays[0] + timedelta(hours=self._random.choice([0, 0, 1, 26, 50]))]
        if self._random.random() < 0.02:
            delays += [delays[0]] * 2
        keys_only = change.event == "REMOVE" and self._random.random() < 0.3
        rows = []
        for delay in delays:
            arrived = min(change.made + delay, self.now)
            # Objects take ten minutes of rows and are filed under their oldest: never on the hour.
            opened = arrived - timedelta(minutes=(arrived.minute + 4) % 10, seconds=arrived.second)
            stored = max(opened + timedelta(minutes=10), arrived)
            rows.append(Row(change, opened, min(stored, self.now), keys_only))
        return rows

    def latest(self) -> dict[str, Change]:
        """The last change of each order."""
        return {change.orderid: change for change in self.changes}

    def live(self) -> list[dict[str, Any]]:
        """The current orders."""
        return [c.order for c in self.latest().values() if c.event != "REMOVE"]


def bound(query: Query, values: Mapping[str, str]) -> str:
    """The statement with the values in place of Athena's execution parameters."""
    literals = iter(query.bind(values))
    return re.sub(r"\?", lambda _: next(literals), query.sql)


class Runner(Protocol):
    """Runs Athena's SQL: DuckDB with translated SQL, or an Athena."""

    def ask(self, query: Query, **values: str) -> list[dict[str, Any]]: ...

    def sql(self, statement: str) -> list[dict[str, Any]]: ...

    def stored(self, row: Row) -> datetime: ...


class DuckDb:
    """Athena's SQL translated by sqlglot, over an in-memory lake, at a fixed time."""

    def __init__(self, lake: Lake, failed: list[dict[str, Any]]) -> None:
        self._now = lake.now
        self._db = duckdb.connect()
        self._db.execute("SET TimeZone = 'UTC'")
        self._db.execute(f"CREATE SCHEMA {DATABASE}")
        self._db.execute(f"SET search_path = '{DATABASE}'")
        columns = [f'"{c.name}" {_DUCKDB.get(c.type, c.type)}' for c in ORDERS.event_row]
        columns += ["day VARCHAR", "hour VARCHAR", '"$file_modified_time" TIMESTAMPTZ']
        self._db.execute(f"CREATE TABLE projection ({', '.join(columns)})")
        places = ", ".join("?" * len(columns))
        self._db.executemany(
            f"INSERT INTO projection VALUES ({places})", [row.values for row in lake.rows]
        )
        self._db.execute(
            "CREATE TABLE projection_processing_failed ("
            " attemptsmade INTEGER, arrivaltimestamp BIGINT, errorcode VARCHAR,"
            " errormessage VARCHAR, attemptendingtimestamp BIGINT, rawdata VARCHAR,"
            " lambdaarn VARCHAR, day VARCHAR, hour VARCHAR)"
        )
        if failed:
            self._db.executemany(
                "INSERT INTO projection_processing_failed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [list(record.values()) for record in failed],
            )
        for view in load_views(DATABASE):
            self._db.execute(f"CREATE VIEW {view.name} AS {self._translate(view.sql)}")

    def ask(self, query: Query, **values: str) -> list[dict[str, Any]]:
        return self.sql(bound(query, values))

    def sql(self, statement: str) -> list[dict[str, Any]]:
        answer = self._db.execute(self._translate(statement))
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def stored(self, row: Row) -> datetime:
        return row.stored

    def plan(self, statement: str) -> str:
        return self._db.execute("EXPLAIN " + self._translate(statement)).fetchall()[0][1]

    def _translate(self, statement: str) -> str:
        clocks = {
            exp.CurrentDate: f"DATE '{self._now:%Y-%m-%d}'",
            exp.Localtimestamp: f"TIMESTAMP '{self._now}'",
        }

        def stop(node: exp.Expression) -> exp.Expression:
            literal = clocks.get(type(node))
            return sqlglot.parse_one(literal, read="duckdb") if literal else node

        return sqlglot.parse_one(statement, read="athena").transform(stop).sql(dialect="duckdb")
