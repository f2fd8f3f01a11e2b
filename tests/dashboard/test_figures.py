"""Which queries run, and when results are reused."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics import load_queries
from analytics.dashboard import charts
from analytics.dashboard.figures import WINDOWS, Board, Cost
from client.athena import Answer, AthenaError, Column, DeniedError, Usage

TODAY, WEEK, MONTH = WINDOWS
NAMES = {query.sql: query.name for query in load_queries()}


class Lake:
    """An Athena that counts its queries."""

    def __init__(self) -> None:
        self.changes = 3
        self.asked: Counter[str] = Counter()
        self.broken = False
        self.time = 0.0
        self.raw_data_refused = False
        self.usage = Usage(bytes_scanned=1_000_000, milliseconds=5, billed=True)
        self._lock = threading.Lock()

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> Answer:
        name = NAMES[sql]
        with self._lock:
            self.asked[name] += 1
        if self.broken:
            raise AthenaError("Athena cannot be reached")
        if self.raw_data_refused and name == "failed_records":
            raise DeniedError("no permission: Permission denied on S3 path: s3://lake/failed/x")
        rows: dict[str, list[dict[str, Any]]] = {
            "freshness": [
                {
                    "changes": self.changes,
                    "newest_change": datetime(2026, 11, 21, 10, 37),
                    "p50_delay_seconds": 2.0,
                    "p99_delay_seconds": 3.0,
                }
            ],
            "revenue_by_product": [
                {"product_name": "Lamp", "orders": 2, "units": 2, "revenue": Decimal("20.01")},
                {"product_name": None, "orders": 1, "units": 1, "revenue": Decimal("9.98")},
                {"product_name": "Gift", "orders": 1, "units": 1, "revenue": None},
            ],
            "order_funnel": [
                {"stage": "placed", "orders": 5, "share_of_placed": 1.0},
                {"stage": "cancelled", "orders": 1, "share_of_placed": 0.2},
            ],
        }
        found = rows.get(name, []) if self.changes else rows["freshness"] * (name == "freshness")
        names = list(found[0]) if found else ["x"]
        return Answer(
            tuple(Column(n, "varchar", 0, 0) for n in names), [tuple(r.values()) for r in found]
        )


@pytest.fixture
def lake() -> Lake:
    return Lake()


@pytest.fixture
def board(lake: Lake) -> Board:
    return Board(lambda: lake, refresh=60, clock=lambda: lake.time)


def test_the_headline_is_the_sum_of_the_products(board: Board) -> None:
    figures = board.figures(WEEK)
    assert figures.revenue == Decimal("29.99")
    assert figures.orders == 4
    assert figures.average == Decimal("7.50")
    assert figures.cancelled == (1, 0.2)
    assert not figures.empty


def test_whoever_looks_within_the_interval_gets_the_same_figures(board: Board, lake: Lake) -> None:
    first = board.figures(WEEK)
    lake.time = 59.9
    assert board.figures(WEEK) is first
    assert set(lake.asked.values()) == {1}


def test_many_who_look_at_once_ask_once(board: Board, lake: Lake) -> None:
    threads = [threading.Thread(target=board.figures, args=(WEEK,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(lake.asked.values()) == {1}


def test_an_unchanged_lake_is_asked_only_what_would_notice_a_change(
    board: Board, lake: Lake
) -> None:
    first = board.figures(WEEK)
    assert first.cost == Cost(8, 8_000_000, pytest.approx(8 * 0.00005))
    lake.asked.clear()
    lake.time = 61
    second = board.figures(WEEK)
    assert lake.asked == {"freshness": 1, "failed_records": 1}
    assert second.cost.queries == 2
    assert second.total.queries == 10
    assert second.revenue == first.revenue


def test_a_change_is_noticed_and_everything_asked_again(board: Board, lake: Lake) -> None:
    board.figures(WEEK)
    lake.asked.clear()
    lake.time, lake.changes = 61, 4
    board.figures(WEEK)
    assert set(lake.asked.values()) == {1} and len(lake.asked) == 8


def test_windows_share_what_they_have_in_common(board: Board, lake: Lake) -> None:
    board.figures(WEEK)
    lake.asked.clear()
    board.figures(MONTH)
    assert set(lake.asked) == {
        "failed_records",
        "order_funnel",
        "revenue_by_day",
        "revenue_by_product",
    }


def test_who_may_not_read_failed_records_sees_everything_else(board: Board, lake: Lake) -> None:
    lake.raw_data_refused = True
    figures = board.figures(WEEK)
    assert figures.failed is None
    assert not figures.empty
    assert figures.orders == 4
    assert figures.cost.queries == 7
    lake.changes = 0
    lake.time = 61
    assert not board.figures(WEEK).empty, "there is something that may not be read"


def test_an_athena_that_never_answered_is_an_error(board: Board, lake: Lake) -> None:
    lake.broken = True
    with pytest.raises(AthenaError, match="cannot be reached"):
        board.figures(WEEK)


def test_the_last_figures_stay_while_athena_is_away_and_it_is_asked_once_an_interval(
    board: Board, lake: Lake
) -> None:
    good = board.figures(WEEK)
    lake.broken, lake.time = True, 61
    lake.asked.clear()
    stale = board.figures(WEEK)
    assert stale.problem == "Athena cannot be reached"
    assert (stale.revenue, stale.at) == (good.revenue, good.at)
    lake.time = 62
    board.figures(WEEK)
    assert max(lake.asked.values()) == 1
    lake.broken, lake.time = False, 122
    assert not board.figures(WEEK).problem


def test_an_empty_lake_is_empty(board: Board, lake: Lake) -> None:
    lake.changes = 0
    assert board.figures(WEEK).empty


NOW = datetime(2026, 11, 21, 10, 37, 12, tzinfo=UTC)


def test_time_charts_reach_over_the_whole_window_whatever_has_orders() -> None:
    def domain(chart: Any) -> list[str]:
        found: list[str] = chart.to_dict()["encoding"]["x"]["scale"]["domain"]
        return found

    assert domain(charts.over_time([], TODAY, NOW)) == [
        "2026-11-21T00:00:00",
        "2026-11-22T00:00:00",
    ]
    assert domain(charts.over_time([], WEEK, NOW)) == ["2026-11-15T00:00:00", "2026-11-22T00:00:00"]
    assert domain(charts.last_hour([], NOW)) == ["2026-11-21T09:38:00", "2026-11-21T10:38:00"]


def test_products_beyond_the_tenth_are_one_bar() -> None:
    rows = [{"product_name": f"p{i}", "orders": 1, "revenue": Decimal(100 - i)} for i in range(13)]
    (bars,) = charts.by_product(rows, dark=False).to_dict()["datasets"].values()
    assert [bar["name"] for bar in bars][-2:] == ["p9", "3 others"]
    assert bars[-1]["value"] == 90 + 89 + 88
    assert bars[0]["label"] == "$100"
