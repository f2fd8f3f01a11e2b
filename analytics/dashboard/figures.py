"""The dashboard's figures, with as few Athena queries as possible.

All viewers see the same figures, so each query runs once for all of them. While nothing new arrives
in the lake, only two queries run, which detect new data: freshness and failed records.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from analytics.library import Query, load_queries
from client.athena import Answer, AthenaError, DeniedError, Usage

Row = Mapping[str, Any]

_AT_ONCE = 5
"""Concurrent queries; on AWS each takes a second or more."""
RECENT_HOURS = 1
_SALES = "revenue_by_product"
"""A query that only stacks of orders have."""
_FAILED = "failed_records"
"""A query that needs the operator policy, once there are failed records."""


class Asker(Protocol):
    """Runs queries; see `client.athena.Athena`."""

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        """Run a statement."""

    @property
    def usage(self) -> Usage:
        """The usage of the last query."""


@dataclass(frozen=True)
class Window:
    """The time range of the figures, in days including today (UTC)."""

    label: str
    days: int


WINDOWS = (Window("Today", 1), Window("7 days", 7), Window("30 days", 30))


@dataclass(frozen=True)
class Cost:
    """The cost of queries."""

    queries: int = 0
    bytes_scanned: int = 0
    dollars: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.queries + other.queries,
            self.bytes_scanned + other.bytes_scanned,
            self.dollars + other.dollars,
        )


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures at one time.

    Parameters
    ----------
    at:
        The time of the figures.
    rows:
        The rows of each query, by name; revenue over time is ``over_time``. Only a table of orders
        has those about sales. Without ``failed_records`` if the caller may not read them.
    cost:
        The cost of the queries, without cached results.
    total:
        The cost of all queries since the dashboard started.
    problem:
        Why the figures could not be updated, if so.
    """

    window: Window
    at: datetime
    rows: Mapping[str, Sequence[Row]]
    cost: Cost
    total: Cost
    problem: str = ""

    @property
    def revenue(self) -> Decimal:
        """Revenue of the orders in the window that are neither cancelled nor deleted."""
        return sum(
            (row["revenue"] or Decimal(0) for row in self.rows["revenue_by_product"]), Decimal(0)
        )

    @property
    def orders(self) -> int:
        """Number of orders in the revenue."""
        return sum(row["orders"] for row in self.rows["revenue_by_product"])

    @property
    def average(self) -> Decimal | None:
        """Revenue per order, to the cent; None without orders."""
        return round(self.revenue / self.orders, 2) if self.orders else None

    @property
    def cancelled(self) -> tuple[int, float]:
        """The number of cancelled orders, and their share of placed orders."""
        for row in self.rows["order_funnel"]:
            if row["stage"] == "cancelled":
                return row["orders"], row["share_of_placed"]
        return 0, 0.0

    @property
    def freshness(self) -> Row:
        """The single row of the query of that name."""
        return self.rows["freshness"][0]

    @property
    def failed(self) -> int | None:
        """Failed records in the window; None if the caller may not read them."""
        if _FAILED not in self.rows:
            return None
        return sum(int(row["records"]) for row in self.rows[_FAILED])

    @property
    def empty(self) -> bool:
        """Whether no data has arrived."""
        arrived = self.freshness["changes"] or self.rows.get("order_funnel")
        return not arrived and self.failed == 0

    @property
    def changes(self) -> Mapping[str, int]:
        """Inserts, updates and deletes of the last hour."""
        kinds = ("inserts", "updates", "deletes")
        return {kind: sum(row[kind] for row in self.rows["changes_by_minute"]) for kind in kinds}


@dataclass
class _Known:
    """A result (None: not permitted), its time, and the state of the lake that it is from."""

    rows: Sequence[Row] | None
    at: float
    mark: object


class Board:
    """Caches the figures for all viewers.

    Parameters
    ----------
    connect:
        Creates a connection to Athena; each thread has its own.
    refresh:
        Seconds for which a result is reused.
    queries:
        The stack's queries. Default: those about orders.
    clock:
        Returns seconds; for tests.

    Examples
    --------
    >>> board = Board(lambda: Athena(outputs), refresh=60)  # doctest: +SKIP
    >>> board.figures(WINDOWS[0]).revenue                   # doctest: +SKIP
    Decimal('1234.56')
    """

    def __init__(
        self,
        connect: Callable[[], Asker],
        *,
        refresh: float,
        queries: Iterable[Query] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refresh = refresh
        self._connect = connect
        self._clock = clock
        self._queries = {query.name: query for query in queries or load_queries()}
        self._sales = _SALES in self._queries
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ask")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], _Known] = {}
        self._last: dict[Window, Figures] = {}
        self._tried: dict[Window, float] = {}
        self._total = Cost()

    def figures(self, window: Window) -> Figures:
        """The figures, at most ``refresh`` seconds old unless an update fails: see ``problem``.

        Raises
        ------
        AthenaError
            The queries fail, and there are no earlier figures.
        """
        with self._lock:  # concurrent viewers share the first one's queries
            last = self._last.get(window)
            if last and self._clock() - self._tried[window] < self.refresh:
                return last
            try:
                figures = self._look(window)
            except AthenaError as error:
                if not last:
                    raise
                figures = replace(last, problem=str(error), cost=Cost(), total=self._total)
            self._tried[window] = self._clock()
            self._last[window] = figures
            return figures

    def _look(self, window: Window) -> Figures:
        now = datetime.now(UTC)
        days = {"days": str(window.days)}
        probes = {"freshness": ("freshness", {}), _FAILED: (_FAILED, days)}
        rows, cost = self._ask(probes, mark=None)
        (fresh,) = rows["freshness"]
        # Within an hour, the newest day's count of changes grows with each change.
        mark = (fresh["changes"], fresh["newest_change"], f"{now:%Y-%m-%d %H}")
        questions: dict[str, tuple[str, Mapping[str, str]]] = {
            "changes_by_minute": ("changes_by_minute", {"minutes": "60"}),
            "recent_changes": ("recent_changes", {"hours": str(RECENT_HOURS)}),
        }
        if self._sales:
            over_time = (
                ("revenue_by_hour", {"hours": str(now.hour + 1)})
                if window.days == 1
                else ("revenue_by_day", days)
            )
            questions |= {
                _SALES: (_SALES, days),
                "order_funnel": ("order_funnel", days),
                "over_time": over_time,
                "revenue_by_minute": ("revenue_by_minute", {"minutes": "60"}),
            }
        others, more = self._ask(questions, mark=mark)
        return Figures(
            window=window, at=now, rows={**rows, **others}, cost=cost + more, total=self._total
        )

    def _ask(
        self, questions: Mapping[str, tuple[str, Mapping[str, str]]], *, mark: object
    ) -> tuple[dict[str, Sequence[Row]], Cost]:
        """The rows of each query; runs those without a recent result for this ``mark``."""
        keys = {
            one: (name, repr(sorted(values.items()))) for one, (name, values) in questions.items()
        }
        asked = {
            one: self._threads.submit(self._answer, self._queries[name], values)
            for one, (name, values) in questions.items()
            if not self._still_good(self._known.get(keys[one]), mark)
        }
        cost = Cost()
        problems = []
        for one, future in asked.items():
            try:
                rows, took = future.result()
            except AthenaError as error:
                problems.append(error)
                continue
            self._known[keys[one]] = _Known(rows, self._clock(), mark)
            cost += took
        self._total += cost
        if problems:
            raise problems[0]
        found = {one: self._known[key].rows for one, key in keys.items()}
        return {one: rows for one, rows in found.items() if rows is not None}, cost

    def _still_good(self, known: _Known | None, mark: object) -> bool:
        if known is None:
            return False
        return known.mark == mark if mark else self._clock() - known.at < self.refresh

    def _answer(self, query: Query, values: Mapping[str, str]) -> tuple[list[Row] | None, Cost]:
        if not hasattr(self._own, "asker"):
            self._own.asker = self._connect()
        asker: Asker = self._own.asker
        try:
            answer = asker.ask(query.sql, query.bind(values))
        except DeniedError:
            if query.name != _FAILED:
                raise
            return None, Cost()
        names = [column.name for column in answer.columns]
        usage = asker.usage
        return (
            [dict(zip(names, row, strict=True)) for row in answer.rows],
            Cost(1, usage.bytes_scanned, usage.dollars),
        )
