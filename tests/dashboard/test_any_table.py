"""The page on a table that does not hold orders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.dashboard.serve import Page
from tests.analytics.shipments import Shipments, running

testing = pytest.importorskip("streamlit.testing.v1", reason="needs Streamlit")
PAGE = Path(__file__).resolve().parents[2] / "analytics" / "dashboard" / "page.py"


@pytest.fixture(scope="module")
def shipments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipments]:
    with running(tmp_path_factory.mktemp("shipments")) as lake:
        yield lake


def test_it_shows_what_any_table_has_and_nothing_of_sales(
    shipments: Shipments, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(outputs=shipments.outputs, refresh=3600, source="--stack dev")
    for name, value in (shipments.environment | page.environment()).items():
        monkeypatch.setenv(name, value)
    seen = testing.AppTest.from_file(str(PAGE), default_timeout=60).run()
    assert not seen.exception
    assert [title.value for title in seen.title] == ["Shipments"]
    assert {one.label: one.value for one in seen.metric} | {"Freshness": ""} == {
        "Inserts": "1",
        "Updates": "1",
        "Deletes": "1",
        "Failed records": "0",
        "Freshness": "",
    }
    headings = [one.value for one in seen.markdown if one.value.startswith("**")]
    assert headings == [
        "**Changes by minute, the last hour**",
        "**Failed records**",
        "**Recent changes**",
    ]
    (recent,) = [one.value for one in seen.dataframe]
    assert list(recent.columns) == [
        "Time (UTC)",
        "Change",
        "id",
        "leg",
        "order",
        "copy",
        "newest",
        "weight",
    ]
    assert list(recent["Change"]) == ["expired", "new", "changed"]
    assert list(recent["weight"]) == ["1.250", "3.000", "1.250"]
    assert "ring" in recent["order"][0]
