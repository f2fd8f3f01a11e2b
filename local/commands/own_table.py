"""The demo of an existing table: infer its schema, attach to it, take a snapshot, and verify."""

from __future__ import annotations

import base64
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from client.query import Row
from local.account.aws import Aws
from local.chain import Hops, LocalChain
from local.commands import shop_orders, source_table
from local.commands.demo import TICK_SECONDS, Asker, drain
from local.commands.operator import LocalAccount
from local.commands.shop_orders import Shop
from local.errors import LocalError
from operate.account import ReplayError
from operate.snapshot import Outcome, Snapshot
from operate.verify import Verdict, Verifier
from schema import SNAPSHOT, Schema
from schema.commands.infer import Proposal, infer
from schema.commands.sources import keys_of, sample
from schema.files import dump

NAME = "shop_orders"
"""What the items are: the view is ``current_shop_orders``."""
LEAST_ORDERS = 10
"""From fewer, the inferred types are too narrow: 39.9 and 9.49 are prices."""
_WHOLE, _MOST = 200, 1_000
"""A table of this many items is read whole; of a larger one, half is, and no more than these."""
_BEFORE, _CHANGES = 20, 0.25
"""Changes before the snapshot; and at least, for each item, during the whole run."""
_READ_UNITS = 1_000_000
"""The local table has no limit."""
_SECONDS = 60.0
"""How long table and lake may take to become equal."""


@dataclass(frozen=True, kw_only=True)
class OwnTablePlan:
    """What to run.

    Parameters
    ----------
    stack:
        Deploy with the settings of ``Pulumi.<stack>.yaml``.
    orders:
        How many items the table has before the stack.
    seed:
        Decides the items.
    """

    stack: str
    orders: int = 2_000
    seed: int | None = None


@dataclass(frozen=True, kw_only=True)
class OwnTableSummary:
    """The demo's results; see `to_json`."""

    items_before: int
    sampled: int
    proposals: Sequence[Proposal]
    view: str
    snapshot: int
    method: str
    changes: Mapping[str, int]
    changes_during_snapshot: int
    captured: int
    delivered: int
    failed: int
    lost: int
    extras: int
    table_items: int
    matches_table: bool
    seconds: float = 0.0
    problems: Sequence[str]
    life: list[Row]
    """The history of one item: the columns that changed."""
    life_of: str | None

    @property
    def good(self) -> bool:
        """Whether nothing is lost and the lake equals the table."""
        return self.lost == 0 and self.matches_table and not self.problems

    def to_json(self) -> dict[str, Any]:
        """The counts.

        ``snapshot`` counts rows of type SNAPSHOT, ``delivered`` the rows of changes. ``lost``
        counts changes that are neither a row nor a failed record, and items of the table at the
        beginning of the snapshot that have no row at all.
        """
        names = (
            "items_before sampled snapshot method changes changes_during_snapshot captured "
            "delivered failed lost extras table_items matches_table seconds"
        )
        facts = {name: getattr(self, name) for name in names.split()}
        facts["columns"] = {one.column.name: one.column.type for one in self.proposals}
        return facts | ({"problems": list(self.problems)} if self.problems else {})


class OwnTableDemo:
    """One run.

    Parameters
    ----------
    say, tick:
        See `local.commands.demo.Demo`.
    show_columns:
        Called with the inferred columns and the number of items that they are inferred from.
    """

    def __init__(
        self,
        plan: OwnTablePlan,
        *,
        say: Callable[[str], None] = lambda _: None,
        tick: Callable[[int, Hops], None] = lambda *_: None,
        show_columns: Callable[[Sequence[Proposal], int], None] = lambda *_: None,
    ) -> None:
        self._plan = plan
        self._say = say
        self._tick = tick
        self._show_columns = show_columns
        self._random = random.Random(plan.seed)  # noqa: S311 - test data
        self._schema: Schema
        self._proposals: Sequence[Proposal] = ()
        self._sampled = 0
        self._during = 0

    def run(self) -> OwnTableSummary:
        """Make the table, infer, attach, take a snapshot during changes, verify, stop.

        Raises
        ------
        LocalError
            If the run cannot finish.
        """
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="sales-cdc-") as directory:
            file = Path(directory) / "schema.yaml"
            attached = {"sourceTable": shop_orders.TABLE["TableName"], "schemaFile": str(file)}
            stack = LocalChain(
                self._plan.stack,
                Path(directory),
                overrides=attached,
                say=self._say,
                before_deploy=lambda aws: self._before(aws, file),
            )
            with stack, _in_words():
                for name, (here, there, why) in stack.deployment.overrides.items():
                    if name not in attached:
                        self._say(
                            f"differs from {self._plan.stack}: {name}={here}, not {there}: {why}"
                        )
                return self._live(stack, began)

    def _before(self, aws: Aws, file: Path) -> None:
        """What was there before the stack: the table. And what its owner does: infer a schema."""
        dynamodb, table = aws.client("dynamodb"), shop_orders.TABLE["TableName"]
        self._say(f"a table from before the stack: {table}, {self._plan.orders:,} items")
        numbers = range(1, self._plan.orders + 1)
        items = (shop_orders.order(number, self._random) for number in numbers)
        source_table.make(dynamodb, shop_orders.TABLE, items)
        dynamodb.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        dynamodb.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": shop_orders.TTL_ATTRIBUTE},
        )
        self._say("inferring its schema from a sample")
        most = self._plan.orders if self._plan.orders <= _WHOLE else self._plan.orders // 2
        found = list(sample(dynamodb, table, most=min(most, _MOST), read_units=_READ_UNITS))
        keys, _ = keys_of(dynamodb, table)
        self._schema, self._proposals = infer(
            found, name=NAME, key=keys.key, sort_key=keys.sort_key
        )
        self._sampled = len(found)
        notes = {one.column.name: one.notes for one in self._proposals}
        file.write_text(dump(self._schema, notes), encoding="utf-8")
        self._show_columns(self._proposals, self._sampled)
        self._say(f"attaching the stack to it: sourceTable={table}, schemaFile={file.name}")

    def _live(self, stack: LocalChain, began: float) -> OwnTableSummary:
        outputs = stack.outputs
        operator = stack.user("operator", outputs["operatorPolicyArn"], outputs["readerPolicyArn"])
        account = LocalAccount(stack, operator)
        writer = stack.aws.client("dynamodb", stack.user("writer", outputs["writerPolicyArn"]))
        self._say("orders are changed from now on: statuses, lines, addresses, tags")
        with Shop(writer, outputs["tableName"], self._plan.orders, self._random) as shop:
            self._until(lambda: shop.made >= _BEFORE, stack, shop)
            before = shop.made
            outcome = self._snapshot(account, stack, shop)
            self._during = shop.made - before
            least = max(2 * _BEFORE, self._plan.orders * _CHANGES)
            self._until(lambda: shop.made >= least, stack, shop)
        shop.check()
        self._say(f"{shop.made:,} changes made; waiting for the last ones to arrive")
        drain(stack, shop.made, lambda hops: self._tick(shop.made, hops))
        self._say("comparing table and lake, every value of every item")
        verifier = Verifier(account, read_units=_READ_UNITS)
        verdict = verifier.settle(_SECONDS, stop=shop.stopped)
        verdict.differences[:5] = verifier.explain(verdict.differences[:5])
        return replace(
            self._conclude(stack, shop, outcome, verdict, account),
            seconds=round(time.monotonic() - began, 1),
        )

    def _snapshot(self, account: LocalAccount, stack: LocalChain, shop: Shop) -> Outcome:
        """Take it while the shop is busy.

        Orders are inserted and deleted only once DynamoDB has fixed the moment of the export: the
        snapshot then has as many rows as the table had items before the stack.
        """

        def say(text: str) -> None:
            self._say(text)
            shop.open()

        def progress(*_: int) -> None:
            shop.open()
            stack.check()
            shop.check()
            self._tick(shop.made, stack.hops())

        self._say("taking a snapshot meanwhile (python -m operate snapshot)")
        outcome = Snapshot(account, on_progress=progress, say=say).take()
        shop.open()
        self._say(
            f"snapshot {outcome.id} by {outcome.method}: {outcome.rows:,} rows, "
            f"{outcome.failed:,} failed records"
        )
        return outcome

    def _until(self, condition: Callable[[], bool], stack: LocalChain, shop: Shop) -> None:
        while not condition():
            time.sleep(TICK_SECONDS)
            stack.check()
            shop.check()
            self._tick(shop.made, stack.hops())

    def _conclude(
        self,
        stack: LocalChain,
        shop: Shop,
        outcome: Outcome,
        verdict: Verdict,
        operator: LocalAccount,
    ) -> OwnTableSummary:
        self._say("querying Athena")
        outputs, key = stack.outputs, self._schema.key
        reader = stack.user("reader", outputs["readerPolicyArn"])
        query = Asker(stack, reader, self._schema)
        log, failed = outputs["projectionTable"], outputs["failedTable"]
        rows = query(f"SELECT DISTINCT event_id, event_type, {key} FROM {log}")  # noqa: S608
        kinds = Counter(row["event_type"] for row in rows)
        kept = [
            orjson.loads(base64.b64decode(row["rawdata"] or ""))
            for row in operator.rows(f"SELECT DISTINCT rawdata FROM {failed}")  # noqa: S608
        ]
        failed_changes = {one["eventID"] for one in kept if one["eventName"] != SNAPSHOT}
        arrived = {row[key] for row in rows}
        arrived |= {one["dynamodb"]["Keys"][shop_orders.KEY]["S"] for one in kept}
        missing = {*map(shop_orders.key_of, range(1, self._plan.orders + 1))} - arrived
        hops = stack.hops()
        delivered = kinds.total() - kinds[SNAPSHOT]
        not_arrived = shop.made - hops.filtered - delivered - len(failed_changes)
        extras = query(
            f"SELECT count(*) AS n FROM {self._schema.current_view} WHERE extras IS NOT NULL"  # noqa: S608
        )
        life_of = shop.telling()
        life = query.saved("history", **{key: life_of}) if life_of else []
        changed = {row["column_name"] for row in life if row["event_type"] != SNAPSHOT}
        changed.discard(shop_orders.VERSION)
        return OwnTableSummary(
            items_before=self._plan.orders,
            sampled=self._sampled,
            proposals=self._proposals,
            view=self._schema.current_view,
            snapshot=kinds[SNAPSHOT],
            method=outcome.method,
            changes={kind: shop.counts[kind] for kind in shop_orders.KINDS},
            changes_during_snapshot=self._during,
            captured=hops.captured,
            delivered=delivered,
            failed=len(kept),
            lost=max(not_arrived, 0) + len(missing),
            extras=int(extras[0]["n"] or 0),
            table_items=verdict.table_items,
            matches_table=verdict.matches,
            problems=_problems(hops, outcome, verdict, surplus=-not_arrived),
            life=[row for row in life if row["column_name"] in changed],
            life_of=life_of,
        )


def _problems(hops: Hops, outcome: Outcome, verdict: Verdict, *, surplus: int) -> list[str]:
    told = []
    if surplus > 0:
        told.append(f"{surplus} more changes arrived than were made")
    if outcome.failed:
        told.append(f"{outcome.failed} items of the snapshot do not fit the schema")
    if hops.failed:
        told.append(f"{hops.failed} changes do not fit the schema")
    if hops.dead_lettered:
        told.append(f"the pipe gave up on {hops.dead_lettered} changes: see its dead-letter queue")
    told += [f"table and lake differ: {one}" for one in verdict.differences[:5]]
    if (more := len(verdict.differences) - 5) > 0:
        told.append(f"... and {more} more")
    return told


@contextmanager
def _in_words() -> Iterator[None]:
    """What keeps a tool from its work, as an error of the demo."""
    try:
        yield
    except ReplayError as error:
        raise LocalError(str(error)) from error
