"""The QuickSight dashboard's definition.

Its figures are those of ``analytics/queries``, as QuickSight expressions over current orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ORDERS = "current_orders"
"""The dataset's identifier in the definition."""
_SHEET = "sales"
_REVENUE = "ifelse({status} = 'cancelled', 0, {quantity} * {price})"
_SOLD = "ifelse({status} = 'cancelled', 0, 1)"
_CANCELLED = "ifelse({status} = 'cancelled', 1, 0)"
_WIDTH, _CARD_HEIGHT, _CHART_HEIGHT = 36, 6, 12

Json = dict[str, Any]


def definition(data_set_arn: Any, *, days: int) -> Json:
    """The definition: five KPIs, revenue by day and by product, orders by status."""
    cards = [
        _card("revenue", "Revenue", _sum("revenue")),
        _card("orders", "Orders", _sum("sold")),
        _card("average", "Average order", _formula("average", "sum({revenue}) / sum({sold})")),
        _card(
            "cancelled",
            "Cancelled",
            _formula("cancelled", "sum({was_cancelled}) / count({orderid})"),
        ),
        _card("newest", "Newest change (UTC)", _newest()),
    ]
    charts = [
        _lines("by-day", "Revenue by day", "created_at"),
        _bars("by-product", "Revenue by product", "product_name", _sum("revenue", "by-product")),
        _bars("by-status", "Orders by status", "status", _count("orderid", "by-status")),
    ]
    return {
        "DataSetIdentifierDeclarations": [{"Identifier": ORDERS, "DataSetArn": data_set_arn}],
        "CalculatedFields": [
            {"DataSetIdentifier": ORDERS, "Name": name, "Expression": expression}
            for name, expression in (
                ("revenue", _REVENUE),
                ("sold", _SOLD),
                ("was_cancelled", _CANCELLED),
            )
        ],
        "FilterGroups": [_last_days(days)],
        "Sheets": [
            {
                "SheetId": _SHEET,
                "Name": f"Sales, the last {days} days",
                "Visuals": [*cards, *charts],
                "Layouts": [{"Configuration": {"GridLayout": {"Elements": _grid(cards, charts)}}}],
            }
        ],
    }


def _column(name: str) -> Json:
    return {"DataSetIdentifier": ORDERS, "ColumnName": name}


def _sum(name: str, where: str = "card") -> Json:
    aggregation = {"SimpleNumericalAggregation": "SUM"}
    field = {"FieldId": f"{where}-{name}", "Column": _column(name)}
    return {"NumericalMeasureField": field | {"AggregationFunction": aggregation}}


def _count(name: str, where: str) -> Json:
    field = {"FieldId": f"{where}-{name}", "Column": _column(name)}
    return {"CategoricalMeasureField": field | {"AggregationFunction": "COUNT"}}


def _formula(name: str, expression: str) -> Json:
    return {"CalculatedMeasureField": {"FieldId": f"card-{name}", "Expression": expression}}


def _newest() -> Json:
    field = {"FieldId": "card-newest", "Column": _column("creation_time")}
    return {"DateMeasureField": field | {"AggregationFunction": "MAX"}}


def _title(text: str) -> Json:
    return {"Visibility": "VISIBLE", "FormatText": {"PlainText": text}}


def _card(name: str, title: str, measure: Json) -> Json:
    fields = {"Values": [measure]}
    chart = {"FieldWells": fields}
    return {"KPIVisual": {"VisualId": name, "Title": _title(title), "ChartConfiguration": chart}}


def _lines(name: str, title: str, by: str) -> Json:
    day = {"FieldId": f"{name}-{by}", "Column": _column(by), "DateGranularity": "DAY"}
    wells = {"Category": [{"DateDimensionField": day}], "Values": [_sum("revenue", name)]}
    chart = {"FieldWells": {"LineChartAggregatedFieldWells": wells}, "Type": "AREA"}
    return {
        "LineChartVisual": {"VisualId": name, "Title": _title(title), "ChartConfiguration": chart}
    }


def _bars(name: str, title: str, by: str, measure: Mapping[str, Json]) -> Json:
    (field,) = measure.values()
    category = {"FieldId": f"{name}-{by}", "Column": _column(by)}
    wells = {"Category": [{"CategoricalDimensionField": category}], "Values": [measure]}
    order = {"FieldSort": {"FieldId": field["FieldId"], "Direction": "DESC"}}
    chart = {
        "FieldWells": {"BarChartAggregatedFieldWells": wells},
        "SortConfiguration": {"CategorySort": [order]},
        "Orientation": "HORIZONTAL",
    }
    return {
        "BarChartVisual": {"VisualId": name, "Title": _title(title), "ChartConfiguration": chart}
    }


def _last_days(days: int) -> Json:
    recent = {
        "FilterId": "recent",
        "Column": _column("created_at"),
        "AnchorDateConfiguration": {"AnchorOption": "NOW"},
        "TimeGranularity": "DAY",
        "RelativeDateType": "LAST",
        "RelativeDateValue": days,
        "NullOption": "NON_NULLS_ONLY",
    }
    everywhere = {"SheetVisualScopingConfigurations": [{"SheetId": _SHEET, "Scope": "ALL_VISUALS"}]}
    return {
        "FilterGroupId": "recent",
        "Filters": [{"RelativeDatesFilter": recent}],
        "ScopeConfiguration": {"SelectedSheets": everywhere},
        "CrossDataset": "SINGLE_DATASET",
        "Status": "ENABLED",
    }


def _grid(cards: Sequence[Json], charts: Sequence[Json]) -> list[Json]:
    """The cards side by side, below them the first chart alone, then the others side by side."""
    first, *others = charts
    rows = [(cards, _CARD_HEIGHT), ([first], _CHART_HEIGHT), (others, _CHART_HEIGHT)]
    elements, row = [], 0
    for visuals, height in rows:
        span = _WIDTH // len(visuals)
        for place, visual in enumerate(visuals):
            (body,) = visual.values()
            elements.append(
                {
                    "ElementId": body["VisualId"],
                    "ElementType": "VISUAL",
                    "ColumnIndex": place * span,
                    "ColumnSpan": span,
                    "RowIndex": row,
                    "RowSpan": height,
                }
            )
        row += height
    return elements
