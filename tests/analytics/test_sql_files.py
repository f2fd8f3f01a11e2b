"""The SQL files: Athena's grammar, parameters, partition filters, separate values."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.errors import ParseError

import analytics
from analytics import (
    Parameter,
    ParameterError,
    Query,
    load_batch_view,
    load_queries,
    load_views,
    schema_of,
)
from client.stack_outputs import StackOutputsError
from schema import ORDERS, Column, Schema
from tests.analytics.sales_lake import bound

QUERIES = load_queries()
NAMES = [query.name for query in QUERIES]
HISTORY = next(query for query in QUERIES if query.name == "history")

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of what another test left to collect
]


def parsed(statement: str) -> exp.Expression:
    [tree] = sqlglot.parse(statement, read="athena")
    assert tree is not None
    return tree


def test_every_question_of_the_issue_has_a_file() -> None:
    assert set(NAMES) == {
        "average_order_value",
        "changed_items",
        "changes_by_minute",
        "duplicates",
        "failed_records",
        "freshness",
        "history",
        "order_funnel",
        "recent_changes",
        "revenue_by_day",
        "revenue_by_hour",
        "revenue_by_minute",
        "revenue_by_product",
        "top_customers",
    }


@pytest.mark.parametrize("query", QUERIES, ids=NAMES)
def test_a_query_is_one_select_in_athenas_sql(query: Query) -> None:
    for text in (query.sql, query.saved_sql):
        assert isinstance(parsed(text), exp.Select)


@pytest.mark.parametrize("query", QUERIES, ids=NAMES)
def test_a_query_says_what_it_answers_and_what_it_reads(query: Query) -> None:
    assert query.title and query.description
    assert re.search(r"Reads\s+(only\s+)?the\s+(partitions|whole\s+log)", query.description)
    assert all(parameter.meaning for parameter in query.parameters)


@pytest.mark.parametrize("query", QUERIES, ids=NAMES)
def test_a_query_filters_on_the_partitions_of_each_table_that_it_reads(query: Query) -> None:
    tables = [t for t in parsed(query.sql).find_all(exp.Table) if t.name.startswith("projection")]
    assert tables
    for table in tables:
        where = table.find_ancestor(exp.Select).args["where"]
        both = isinstance(where.this, exp.And)
        conditions = where.this.flatten() if both else [where.this]
        bounds = [c for c in conditions if isinstance(c, exp.GTE) and c.this.name == "day"]
        assert bounds and all(not list(c.expression.find_all(exp.Column)) for c in bounds)


@pytest.mark.parametrize("query", QUERIES, ids=NAMES)
def test_a_question_mark_stands_for_each_use_of_a_parameter_and_for_nothing_else(
    query: Query,
) -> None:
    assert (
        query.sql.count("?")
        == len(query.placeholders)
        == len(list(parsed(query.sql).find_all(exp.Placeholder)))
    )
    assert set(query.placeholders) == {parameter.name for parameter in query.parameters}


@pytest.mark.parametrize("query", QUERIES, ids=NAMES)
def test_the_saved_query_asks_only_for_what_has_no_default(query: Query) -> None:
    required = [p.name for p in query.parameters if p.default is None]
    body = "\n".join(line for line in query.saved_sql.splitlines() if not line.startswith("--"))
    assert body.count("?") == len(required)
    for name in required:
        assert f"/*{name}*/ ?" in body
    assert query.saved_sql.startswith(f"-- {query.title}\n")


@pytest.mark.parametrize("query", QUERIES, ids=NAMES)
def test_the_file_pasted_into_athena_is_the_query_with_its_defaults(query: Query) -> None:
    values = {p.name: "an order id" for p in query.parameters if p.default is None}
    folder = Path(analytics.__file__).with_name("queries")
    [file] = folder.rglob(f"{query.name}.sql")
    pasted = file.read_text(encoding="utf-8")
    ours, files = (
        parsed(text).sql(comments=False, identify=True) for text in (bound(query, values), pasted)
    )
    assert ours == files


def test_views_come_in_athenas_sql_with_the_columns_that_they_declare() -> None:
    views = load_views("sales_cdc_dev")
    assert [view.name for view in views] == ["changes", "current_orders"]
    for view in views:
        tree = parsed(view.sql)
        assert [column.name for column in tree.selects] == [name for name, _ in view.columns]
        assert {t.sql() for t in tree.find_all(exp.Table)} == {'"sales_cdc_dev".projection'}
    changes, current = (dict(view.columns) for view in views)
    assert current == {column.name: column.type for column in ORDERS.event_row}
    assert changes == current | {"day": "string", "hour": "string"}


def test_a_new_column_and_a_sort_key_reach_the_views_from_the_schema() -> None:
    columns = (
        *ORDERS.columns,
        Column(name="order", type="double"),
        Column(name="line", type="int"),
    )
    for view in load_views("lake", Schema(key="orderid", sort_key="line", columns=columns)):
        assert ("order", "double") in view.columns
        window = parsed(view.sql).find(exp.Window)
        assert [c.name for c in window.args["partition_by"]][:2] == ["orderid", "line"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "orderid is needed"),
        ({"orderid": "x", "order": "y"}, "no parameter 'order'"),
        ({"orderid": "x", "since": "yesterday"}, "since='yesterday': expected a date"),
        ({"orderid": "x", "since": "2026-02-30"}, "since='2026-02-30': expected a date"),
        ({"orderid": ""}, "orderid='': expected 1 to"),
        ({"orderid": "x" * 2000}, "expected 1 to 1022 characters"),
        ({"orderid": "a\0b"}, "none of them NUL"),
    ],
)
def test_a_value_that_does_not_fit_is_rejected_with_what_would(
    values: dict[str, str], said: str
) -> None:
    with pytest.raises(ParameterError, match=re.escape(said)) as refusal:
        HISTORY.bind(values)
    assert "Its parameters: orderid (string), since (date)" in str(refusal.value)


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ParameterError, match=r"no parameter 'a'; orderid is needed: .*; since='b'"):
        HISTORY.bind({"a": "1", "since": "b"})


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "1e3", " 7", "7 ", "\u0667", "1_0", "", "7; DROP TABLE x", "100001"]
)
def test_an_int_is_a_plain_whole_number(value: str) -> None:
    days = Parameter(name="days", type="int", default="7", meaning="how many")
    with pytest.raises(ParameterError, match="a whole number from 1 to 100000"):
        days.literal(value)
    assert days.literal("0030") == "30"


ATTACKS = [
    "' OR '1'='1",
    "'; DROP TABLE projection; --",
    "x' --",
    "/* */ ' /*",
    "\\' OR 1=1 --",
    "''",
    "'",
    "?",
    "\u02bc OR 1=1 --",
    "\u2019 UNION SELECT 1 --",
    "a\nb -- c",
    "U&'\\0027'",
    "$path",
]


@given(
    st.one_of(st.sampled_from(ATTACKS), st.text(min_size=1, max_size=300)).filter(
        lambda v: "\0" not in v
    )
)
def test_whatever_the_value_it_is_one_string_in_the_same_statement(value: str) -> None:
    tree = parsed(bound(HISTORY, {"orderid": value}))
    where = next(c for c in tree.find_all(exp.EQ) if c.this.name == "orderid")
    assert where.expression == exp.Literal.string(value)
    where.expression.replace(exp.Literal.string("plain"))
    assert tree.sql(comments=False) == plain()


@cache
def plain() -> str:
    """The statement with a value that means nothing to SQL."""
    return parsed(bound(HISTORY, {"orderid": "plain"})).sql(comments=False)


def write(directory: Path, text: str) -> Path:
    (directory / "q.sql").write_text(text, encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- T\n-- param n int\nSELECT /*n*/ 1", "a parameter is declared as"),
        ("-- T\n-- param n int 1 how many\nSELECT 1", "declared but not used"),
        ("-- T\nSELECT /*n*/ 1", "used but not declared"),
        ("-- T\n-- param n int 1 how many\nSELECT /*n*/ 2", "is not the declared 1"),
        ("-- T\n-- param n float 1 how many\nSELECT /*n*/ 1", "unknown type float"),
    ],
)
def test_a_file_that_contradicts_itself_does_not_load(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_queries(directory=write(tmp_path, text))


def test_sqlglot_would_have_found_a_syntax_error() -> None:
    with pytest.raises(ParseError):
        parsed(replace(HISTORY, sql="SELECT FROM WHERE").sql)


def test_a_sort_key_makes_each_of_an_orders_items_count() -> None:
    keyed = replace(ORDERS, sort_key="product_name")
    both = {query.name: query.sql for query in load_queries(keyed)}
    by_key = re.compile(r"PARTITION BY ([\w.,\" ]*\"orderid\"[\w.,\" ]*?)(?: ORDER|\))")
    for query in QUERIES:
        partitions, of_both = by_key.findall(query.sql), by_key.findall(both[query.name])
        assert len(partitions) == len(of_both)
        assert all("product_name" in columns for columns in of_both), query.name
        assert not any("product_name" in columns for columns in partitions), query.name
        assert "/*key*/" not in query.sql + query.saved_sql
    assert by_key.search(both["revenue_by_day"])

    db = duckdb.connect()
    db.execute(
        "CREATE TABLE projection (orderid VARCHAR, product_name VARCHAR, quantity INT, "
        "price DECIMAL(10,2), status VARCHAR, created_at TIMESTAMP, event_type VARCHAR, "
        "sequence_number VARCHAR, creation_time TIMESTAMP, day VARCHAR, hour VARCHAR)"
    )
    for product, sequence in (("Lamp", "1"), ("Ring", "2"), ("Ring", "3")):
        db.execute(
            "INSERT INTO projection VALUES ('o', ?, 1, 10, 'paid', localtimestamp, 'INSERT', ?, "
            "localtimestamp, strftime(current_date, '%Y-%m-%d'), '23')",
            [product, sequence],
        )

    def orders(statement: str) -> int:
        text = sqlglot.transpile(statement.replace("?", "30"), read="athena", write="duckdb")[0]
        return int(db.execute(text).fetchall()[0][0])

    average = next(query for query in QUERIES if query.name == "average_order_value")
    assert orders(average.sql) == 1
    assert orders(both["average_order_value"]) == 2


SHIPMENTS = Schema(
    name="shipments",
    key="id",
    sort_key="since",
    columns=(
        Column(name="id", attribute="shipmentId", type="decimal(20,0)"),
        Column(name="since", type="timestamp"),
        Column(name="order", type="struct<lines:array<struct<sku:string,at:timestamp>>>"),
        Column(name="copy", type="json"),
        Column(name="newest", type="boolean"),
    ),
)


def test_another_table_has_the_queries_that_fit_every_table() -> None:
    names = [query.name for query in load_queries(SHIPMENTS)]
    assert names == [
        "changed_items",
        "changes_by_minute",
        "duplicates",
        "failed_records",
        "freshness",
        "history",
        "recent_changes",
    ]
    renamed = replace(ORDERS, columns=ORDERS.columns[:-1])
    assert [query.name for query in load_queries(renamed)] == names, "orders without created_at"
    more = replace(ORDERS, columns=(*ORDERS.columns, Column(name="note", type="string")))
    assert [query.name for query in load_queries(more)] == NAMES


@pytest.mark.parametrize("query", load_queries(SHIPMENTS), ids=lambda query: query.name)
def test_a_query_about_another_table_is_athenas_sql_without_a_word_of_orders(query: Query) -> None:
    for text in (query.sql, query.saved_sql):
        assert isinstance(parsed(text), exp.Select)
        assert not re.search(r"orderid|product_name|each column|/\*(key|columns|end)\*/", text)
    assert query.sql.count("?") == len(query.placeholders)


def test_each_key_is_a_parameter_of_its_type() -> None:
    [history] = [query for query in load_queries(SHIPMENTS) if query.name == "history"]
    assert [(p.name, p.type) for p in history.parameters] == [
        ("id", "decimal"),
        ("key_since", "timestamp"),
        ("since", "date"),
    ]
    assert history.bind({"id": "7", "key_since": "2026-11-20T10:00:00"}) == [
        "DECIMAL '7'",
        "TIMESTAMP '2026-11-20 10:00:00.000'",
        "DATE '2000-01-01'",
    ]
    with pytest.raises(ParameterError, match=r"id='x': expected a number.*key_since='now'"):
        history.bind({"id": "x", "key_since": "now"})


def test_the_views_of_another_table_have_its_name_and_columns() -> None:
    changes, current = load_views("lake", SHIPMENTS)
    batch = load_batch_view("lake", SHIPMENTS)
    assert (changes.name, current.name, batch.name) == (
        "changes",
        "current_shipments",
        "current_shipments",
    )
    assert batch.columns == current.columns
    for view in (changes, current, batch):
        assert isinstance(parsed(view.sql.replace("${", "").replace("}", "")), exp.Select)
    assert '"lake"."shipments"' in batch.sql
    assert (
        'CAST("order" AS row("lines" array(row("sku" varchar, "at" timestamp(3))))) AS "order"'
        in batch.sql
    )


def test_outputs_tell_the_schema_and_those_of_an_older_stack_the_sort_key() -> None:
    assert schema_of({"schema": SHIPMENTS.to_json(), "sortKey": "x"}) == SHIPMENTS
    assert schema_of({"region": "x"}) == ORDERS
    assert schema_of({"sortKey": "product_name"}).keys == ("orderid", "product_name")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": 1}'])
def test_an_output_that_is_no_schema_is_said_in_one_line(text: str) -> None:
    with pytest.raises(StackOutputsError, match=r"the output schema cannot be read .*pulumi up"):
        schema_of({"schema": text})
