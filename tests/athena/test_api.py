"""Athena's API: executions, results, paging, stopping, work groups, errors."""

# ruff: noqa: E501  (cases read best one a line)

from __future__ import annotations

import csv
import io
import re
import threading
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.athena.lab import BUCKET, Lab

SLOW = (
    "SELECT sum(a.n * b.n % 7) FROM UNNEST(sequence(1, 200000)) AS a(n) "
    "CROSS JOIN UNNEST(sequence(1, 200000)) AS b(n)"
)


def _refusal(run) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        run()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_an_execution_reports_its_statistics(lab: Lab, orders) -> None:
    answer = lab.ask("SELECT count(*) AS n FROM orders")
    told = answer.execution
    assert told["Status"]["State"] == "SUCCEEDED"
    assert told["Status"]["CompletionDateTime"] >= told["Status"]["SubmissionDateTime"]
    assert told["StatementType"] == "DML"
    assert told["WorkGroup"] == "team"
    assert told["QueryExecutionContext"] == {"Database": "shop", "Catalog": "awsdatacatalog"}
    assert told["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/results/{answer.id}.csv"
    assert told["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert told["Statistics"]["DataScannedInBytes"] > 0


def test_the_result_file_quotes_values_and_leaves_nulls_empty(lab: Lab) -> None:
    answer = lab.ask("""SELECT 1 AS a, 'say "hi", all' AS b, NULL AS c, '' AS d""")
    key = f"results/{answer.id}.csv"
    body = lab.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    assert body == '"a","b","c","d"\n"1","say ""hi"", all",,""\n'
    assert answer.rows == [["1", 'say "hi", all', None, ""]]


def test_results_are_paged_and_the_header_comes_once(lab: Lab) -> None:
    query = lab.ask("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n").id
    rows, tokens, token = [], 0, {}
    while True:
        page = lab.athena.get_query_results(QueryExecutionId=query, MaxResults=1000, **token)
        assert len(page["ResultSet"]["Rows"]) <= 1000
        rows += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
        if "NextToken" not in page:
            break
        token, tokens = {"NextToken": page["NextToken"]}, tokens + 1
    assert rows == ["n", *map(str, range(1, 2501))]
    assert tokens == 2
    code, message = _refusal(
        lambda: lab.athena.get_query_results(QueryExecutionId=query, MaxResults=1001)
    )
    assert (code, "1000" in message) == ("InvalidRequestException", True)


def test_column_metadata_has_types_precision_and_scale(lab: Lab) -> None:
    query = lab.ask(
        "SELECT 1 AS i, bigint '1' AS b, 1.50 AS d, 1e0 AS f, 'x' AS s, true AS t, "
        "date '2026-01-01' AS day, timestamp '2026-01-01 00:00:00' AS at, current_timestamp AS z, "
        "ARRAY[1] AS a, map(ARRAY['k'], ARRAY[1]) AS m, CAST(ROW(1) AS ROW(x integer)) AS r"
    ).id
    columns = lab.athena.get_query_results(QueryExecutionId=query)["ResultSet"]["ResultSetMetadata"]
    assert [(c["Name"], c["Type"], c["Precision"], c["Scale"]) for c in columns["ColumnInfo"]] == [
        ("i", "integer", 10, 0),
        ("b", "bigint", 19, 0),
        ("d", "decimal", 3, 2),
        ("f", "double", 17, 0),
        ("s", "varchar", 2147483647, 0),
        ("t", "boolean", 0, 0),
        ("day", "date", 0, 0),
        ("at", "timestamp", 3, 0),
        ("z", "timestamp with time zone", 3, 0),
        ("a", "array", 0, 0),
        ("m", "map", 0, 0),
        ("r", "row", 0, 0),
    ]


def test_columns_without_a_name_are_numbered(lab: Lab) -> None:
    assert lab.ask("SELECT 1, 2 AS two, 1 + 2").header == ["_col0", "two", "_col2"]


def test_a_query_that_runs_has_no_result_yet_and_can_be_stopped(lab: Lab) -> None:
    query = lab.athena.start_query_execution(QueryString=SLOW, WorkGroup="team")["QueryExecutionId"]
    for _ in range(500):
        told = lab.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if told["Status"]["State"] == "RUNNING" and told["Statistics"]["QueryPlanningTimeInMillis"]:
            break
        time.sleep(0.01)
    code, message = _refusal(lambda: lab.athena.get_query_results(QueryExecutionId=query))
    assert code == "InvalidRequestException"
    assert message == "Query has not yet finished. Current state: RUNNING"
    lab.athena.stop_query_execution(QueryExecutionId=query)
    told = lab.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert told["Status"]["State"] == "CANCELLED"
    execution = lab.gateway._athena._executions[query]
    assert execution.done.wait(10), "the engine goes on"
    assert lab.rows("SELECT 1") == [["1"]]


def test_queries_run_side_by_side(lab: Lab, orders) -> None:
    answers: dict[int, object] = {}

    def ask(i: int) -> None:
        answers[i] = lab.rows(f"SELECT count(*) + {i} FROM orders")

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {i: [[str(3 + i)]] for i in range(12)}


def test_the_same_token_starts_one_query(lab: Lab) -> None:
    token = str(uuid.uuid4())

    def start(sql: str) -> str:
        answer = lab.athena.start_query_execution(
            QueryString=sql, WorkGroup="team", ClientRequestToken=token
        )
        return answer["QueryExecutionId"]

    assert start("SELECT 1") == start("SELECT 1")
    assert _refusal(lambda: start("SELECT 2"))[0] == "InvalidRequestException"


def test_parameters_fill_question_marks(lab: Lab) -> None:
    rows = lab.rows("SELECT ? + 1, ?, '?' -- what?", ExecutionParameters=["41", "'it''s'"])
    assert rows == [["42", "it's", "?"]]
    code, message = _refusal(
        lambda: lab.athena.start_query_execution(
            QueryString="SELECT ?, ?", WorkGroup="team", ExecutionParameters=["1"]
        )
    )
    assert code == "InvalidRequestException"
    assert "expected 2 but found 1" in message


@pytest.mark.parametrize(
    "sql",
    [
        "EXECUTE twice USING 21",
        "EXPLAIN SELECT orderid FROM orders",
        "MSCK REPAIR TABLE orders",
        "ALTER TABLE orders ADD PARTITION (day = '2026-11-21')",
        "CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION 's3://lake/t/'",
    ],
)
def test_other_forms_of_statements_are_refused(lab: Lab, orders, sql: str) -> None:
    code, message = _refusal(
        lambda: lab.athena.start_query_execution(QueryString=sql, WorkGroup="team")
    )
    assert code == "InvalidRequestException"
    assert f"this local Athena does not know this form of {sql.split(maxsplit=1)[0]}" in message


def test_executions_are_listed_newest_first(lab: Lab) -> None:
    first, second = lab.ask("SELECT 1").id, lab.ask("SELECT 2").id
    listed = lab.athena.list_query_executions(WorkGroup="team", MaxResults=2)
    assert listed["QueryExecutionIds"] == [second, first]
    assert listed["NextToken"]
    both = lab.athena.batch_get_query_execution(QueryExecutionIds=[first, "nope", second])
    assert [one["QueryExecutionId"] for one in both["QueryExecutions"]] == [first, second]
    assert both["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "nope"
    with pytest.raises(ClientError, match="InvalidAction"):
        lab.athena.get_query_runtime_statistics(QueryExecutionId=first)


def test_an_unknown_execution_or_work_group_is_rejected(lab: Lab) -> None:
    code, message = _refusal(lambda: lab.athena.get_query_execution(QueryExecutionId="nope"))
    assert (code, message) == ("InvalidRequestException", "QueryExecution nope was not found")
    code, message = _refusal(
        lambda: lab.athena.start_query_execution(QueryString="SELECT 1", WorkGroup="nope")
    )
    assert (code, message) == ("InvalidRequestException", "WorkGroup nope is not found.")


# -- work groups -----------------------------------------------------------------------------------


def test_a_work_group_that_enforces_overrides_the_client(lab: Lab) -> None:
    answer = lab.ask("SELECT 1", ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/mine/"})
    location = answer.execution["ResultConfiguration"]["OutputLocation"]
    assert location.startswith(f"s3://{BUCKET}/results/")


def test_a_work_group_that_does_not_enforce_leaves_it_to_the_client(lab: Lab) -> None:
    lab.athena.create_work_group(
        Name="free", Configuration={"EnforceWorkGroupConfiguration": False}
    )
    answer = lab.ask(
        "SELECT 1",
        workgroup="free",
        ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/mine"},
    )
    location = answer.execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://{BUCKET}/mine/{answer.id}.csv"
    code, message = _refusal(
        lambda: lab.athena.start_query_execution(QueryString="SELECT 1", WorkGroup="free")
    )
    assert code == "InvalidRequestException"
    assert message.startswith("No output location provided.")


def test_a_disabled_work_group_takes_no_queries(lab: Lab) -> None:
    lab.athena.create_work_group(Name="closed", Configuration={})
    lab.athena.update_work_group(WorkGroup="closed", State="DISABLED")
    code, message = _refusal(
        lambda: lab.athena.start_query_execution(QueryString="SELECT 1", WorkGroup="closed")
    )
    assert (code, message) == ("InvalidRequestException", "WorkGroup closed is disabled.")


def test_a_query_above_the_scan_limit_is_cancelled(lab: Lab) -> None:
    limit = 10_485_760
    lab.athena.create_work_group(
        Name="thrifty",
        Configuration={
            "BytesScannedCutoffPerQuery": limit,
            "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"},
        },
    )
    lab.put("heavy/a.json", [{"a": "x" * 1000}] * 11_000)
    lab.table("heavy", {"a": "string"})
    answer = lab.ask("SELECT count(*) FROM heavy", workgroup="thrifty")
    assert (answer.state, answer.reason) == ("CANCELLED", "Bytes scanned limit was exceeded")
    assert lab.rows("SELECT count(*) FROM heavy") == [["11000"]]


# -- errors ----------------------------------------------------------------------------------------

SYNTAX = [
    ("SELEC 1", "line 1:1: mismatched input 'SELEC'"),
    ("SELECT a FRM t", "line 1:14: mismatched input 't'"),
    ("SELECT 1 +", "line 1:11: mismatched input '<EOF>'"),
    ("SELECT (1", "line 1:10: mismatched input '<EOF>'"),
    ("SELECT 1 FROM", "line 1:14: mismatched input '<EOF>'"),
    ("SELECT\n a b c FROM t", "line 2:6: mismatched input 'c'"),
    ("SELECT a,, b FROM t", "line 1:10: mismatched input ','"),
    ("SELECT 'abc", "line 1:8: mismatched input"),
    ("DROP EVERYTHING", "line 1:1: mismatched input 'DROP'"),
    ("SELECT 1; SELECT 2", "Only one sql statement is allowed."),
    ("-- nothing", "line 1:11: mismatched input '<EOF>'"),
]


@pytest.mark.parametrize(("sql", "expected"), SYNTAX)
def test_bad_syntax_is_rejected_at_the_start(lab: Lab, sql: str, expected: str) -> None:
    code, message = _refusal(
        lambda: lab.athena.start_query_execution(QueryString=sql, WorkGroup="team")
    )
    assert code == "InvalidRequestException"
    assert message.startswith(expected)


FAILURES = [
    ("SELECT x FROM orders", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"),
    (
        "SELECT orderid\nFROM orders\nWHERE nope = 1",
        "COLUMN_NOT_FOUND: line 3:7: Column 'nope' cannot be resolved",
    ),
    ("SELECT o.x FROM orders o", "COLUMN_NOT_FOUND: line 1:8: Column 'o.x' cannot be resolved"),
    ("SELECT orders.x FROM orders o", "COLUMN_NOT_FOUND: line 1:8: Column 'orders.x' cannot be resolved"),
    (
        "SELECT x FROM (SELECT orderid FROM orders) AS s",
        "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved",
    ),
    (
        "SELECT orderid FROM orders a, orders b",
        "AMBIGUOUS_NAME: line 1:8: Column 'orderid' is ambiguous",
    ),
    (
        "SELECT * FROM nope",
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.shop.nope' does not exist",
    ),
    ("SELECT * FROM nodb.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nodb' does not exist"),
    (
        "SELECT * FROM other.shop.orders",
        "CATALOG_NOT_FOUND: line 1:15: Catalog 'other' does not exist",
    ),
    ("SELECT nosuch(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
    ("SELECT ifnull(1, 2)", "FUNCTION_NOT_FOUND: line 1:8: Function 'ifnull' not registered"),
    (
        "SELECT * FROM orders WHERE orderid = 1",
        "TYPE_MISMATCH: line 1:28: Cannot apply operator: varchar = integer",
    ),
    (
        "SELECT * FROM orders WHERE created_at > '2026-01-01'",
        "TYPE_MISMATCH: line 1:28: Cannot apply operator: timestamp(3) > varchar",
    ),
    ("SELECT orderid + 1 FROM orders", "TYPE_MISMATCH: line 1:8: Cannot apply operator: varchar + integer"),
    (
        "SELECT orderid, sum(quantity) FROM orders",
        "EXPRESSION_NOT_AGGREGATE: line 1:8: 'orderid' must be an aggregate expression or appear in GROUP BY clause",
    ),
    ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT quantity / (quantity - quantity) FROM orders", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT price / 0 FROM orders", "DIVISION_BY_ZERO: Division by zero"),
    ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT"),
    ("SELECT CAST('1.5' AS bigint)", "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to BIGINT"),
    (
        "SELECT CAST('2026-11-21T00:00:00Z' AS timestamp)",
        "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: 2026-11-21T00:00:00Z",
    ),
    (
        "SELECT from_iso8601_timestamp('yesterday')",
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "yesterday"',
    ),
    (
        "SELECT ARRAY[1][5]",
        "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 5 > 1",
    ),
    ("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    (
        "SELECT (SELECT orderid FROM orders)",
        "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), FAILURES)
def test_a_bad_query_fails_as_athena_says(lab: Lab, orders, sql: str, expected: str) -> None:
    answer = lab.ask(sql)
    assert answer.state == "FAILED"
    assert answer.reason.startswith(expected)
    error = answer.execution["Status"]["AthenaError"]
    assert error["ErrorCategory"] == 2
    assert error["ErrorMessage"] == answer.reason
    code, message = _refusal(lambda: lab.athena.get_query_results(QueryExecutionId=answer.id))
    assert code == "InvalidRequestException"
    assert message == "Query did not finish successfully. Final query state: FAILED"


def test_a_missing_result_bucket_fails_the_query(lab: Lab) -> None:
    answer = lab.ask(
        "SELECT 1",
        workgroup="primary",
        ResultConfiguration={"OutputLocation": "s3://no-such-bucket/"},
    )
    assert answer.state == "FAILED"
    assert "output bucket no-such-bucket" in answer.reason


# -- statements other than queries -----------------------------------------------------------------


def test_a_view_without_serde_info_is_rejected(lab: Lab, orders) -> None:
    lab.rows("CREATE VIEW bare AS SELECT orderid FROM orders")
    glue = lab.glue.get_table(DatabaseName="shop", Name="bare")["Table"]
    kept = ("Name", "TableType", "Parameters", "ViewOriginalText", "ViewExpandedText")
    definition = {key: glue[key] for key in kept} | {
        "StorageDescriptor": {"Columns": glue["StorageDescriptor"]["Columns"]}
    }
    lab.glue.update_table(DatabaseName="shop", TableInput=definition)
    answer = lab.ask("SELECT * FROM bare")
    assert answer.state == "FAILED"
    said = "HIVE_METASTORE_ERROR: Table storage descriptor is missing SerDe info"
    assert answer.reason == said
    lab.glue.delete_table(DatabaseName="shop", Name="bare")


def test_views_are_made_queried_replaced_and_dropped(lab: Lab, orders) -> None:
    lab.rows("CREATE VIEW sold AS SELECT orderid, price * quantity AS revenue FROM orders")
    glue = lab.glue.get_table(DatabaseName="shop", Name="sold")["Table"]
    assert glue["TableType"] == "VIRTUAL_VIEW"
    assert re.match(r"/\* Presto View: [\w+/=]+ \*/", glue["ViewOriginalText"])
    assert [(c["Name"], c["Type"]) for c in glue["StorageDescriptor"]["Columns"]] == [
        ("orderid", "string"),
        ("revenue", "decimal(20,2)"),
    ]
    assert glue["StorageDescriptor"]["SerdeInfo"] == {}  # as Athena itself leaves it
    assert lab.rows("SELECT revenue FROM sold WHERE orderid = 'o1'") == [["39.98"]]
    assert lab.ask("CREATE VIEW sold AS SELECT 1 AS a").reason.startswith("TABLE_ALREADY_EXISTS")
    lab.rows("CREATE OR REPLACE VIEW sold AS SELECT orderid AS id FROM orders")
    assert lab.ask("SELECT * FROM shop.sold").header == ["id"]
    lab.rows("CREATE VIEW over_sold AS SELECT count(*) AS n FROM sold")
    assert lab.rows('SELECT n FROM "awsdatacatalog"."shop"."over_sold"', database="default") == [
        ["3"]
    ]
    lab.rows("DROP VIEW over_sold")
    lab.rows("DROP VIEW IF EXISTS over_sold")
    assert lab.ask("SELECT * FROM over_sold").reason.startswith("TABLE_NOT_FOUND")
    unnamed = lab.ask("CREATE VIEW bad AS SELECT count(*) FROM orders")
    assert "Column name not specified at position 1" in unnamed.reason
    assert lab.ask("CREATE VIEW bad AS SELECT x FROM orders").reason.startswith("COLUMN_NOT_FOUND")


def test_show_and_describe(lab: Lab, orders) -> None:
    lab.table("described", {"a": "string", "b": "decimal(10,2)"}, keys={"day": "string"})
    assert lab.rows("SHOW TABLES IN shop 'desc*'") == [["described"]]
    assert ["orders"] in lab.rows("SHOW TABLES")
    assert ["shop"] in lab.rows("SHOW DATABASES")
    assert lab.rows("SHOW SCHEMAS LIKE 'sho%'") == [["shop"]]
    assert [row[0].strip() for row in lab.rows("SHOW COLUMNS IN described")] == ["a", "b", "day"]
    described = [row[0].split("\t") for row in lab.rows("DESCRIBE shop.described")]
    assert [[part.strip() for part in line[:2]] for line in described[:3]] == [
        ["a", "string"],
        ["b", "decimal(10,2)"],
        ["day", "string"],
    ]
    created = "\n".join(row[0] for row in lab.rows("SHOW CREATE TABLE described"))
    assert "CREATE EXTERNAL TABLE `shop.described`(" in created
    assert "PARTITIONED BY" in created
    assert lab.ask("DESCRIBE nope").reason.startswith("TABLE_NOT_FOUND")


def test_the_catalog_is_a_schema_too(lab: Lab, orders) -> None:
    assert lab.rows(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'shop' AND table_name = 'orders' ORDER BY ordinal_position"
    ) == [
        ["orderid", "varchar"],
        ["quantity", "integer"],
        ["price", "decimal(10,2)"],
        ["created_at", "timestamp(3)"],
    ]
    assert ["orders", "BASE TABLE"] in lab.rows(
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'shop'"
    )


def test_a_table_is_made_from_a_query(lab: Lab, orders) -> None:
    answer = lab.ask(
        f"CREATE TABLE copied WITH (external_location = 's3://{BUCKET}/copied/', format = 'PARQUET', "
        "write_compression = 'SNAPPY') AS SELECT orderid, price, created_at FROM orders",
        workgroup="open",
    )
    assert answer.state == "SUCCEEDED", answer.reason
    manifest = answer.execution["Statistics"]["DataManifestLocation"]
    listed = lab.s3.get_object(Bucket=BUCKET, Key=manifest.removeprefix(f"s3://{BUCKET}/"))
    assert listed["Body"].read().decode().startswith(f"s3://{BUCKET}/copied/")
    assert lab.rows("SELECT * FROM copied ORDER BY orderid LIMIT 1") == [
        ["o1", "19.99", "2026-11-20 10:00:00.123"]
    ]
    again = lab.ask("CREATE TABLE copied AS SELECT 1 AS a")
    assert "already exists" in again.reason
    lab.rows("DROP TABLE copied")
    assert lab.ask("SELECT * FROM copied").reason.startswith("TABLE_NOT_FOUND")


def test_a_result_is_unloaded_as_parquet(lab: Lab, orders) -> None:
    import pyarrow.parquet as pq

    answer = lab.ask(
        f"UNLOAD (SELECT orderid, price FROM orders) TO 's3://{BUCKET}/unloaded/' WITH (format = 'PARQUET')"
    )
    assert answer.state == "SUCCEEDED", answer.reason
    (item,) = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="unloaded/")["Contents"]
    body = lab.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
    assert pq.read_table(io.BytesIO(body)).num_rows == 3


def test_a_table_is_made_by_ddl(lab: Lab) -> None:
    lab.put("by_ddl/day=2026-11-21/a.json", ['{"ID": 1, "price": 2.50}'])
    lab.rows(
        f"""CREATE EXTERNAL TABLE IF NOT EXISTS `by_ddl` (
          `id` int COMMENT 'the id', price decimal(10, 2))
        PARTITIONED BY (day string)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
        WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
        LOCATION 's3://{BUCKET}/by_ddl/'
        TBLPROPERTIES ('projection.enabled' = 'true', 'projection.day.type' = 'enum',
          'projection.day.values' = '2026-11-21')"""
    )
    assert lab.rows("SELECT * FROM by_ddl") == [["1", "2.50", "2026-11-21"]]


def test_metadata_calls_read_glue(lab: Lab, orders) -> None:
    told = lab.athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="shop", TableName="orders"
    )["TableMetadata"]
    assert [column["Name"] for column in told["Columns"]] == [
        "orderid",
        "quantity",
        "price",
        "created_at",
    ]
    listed = lab.athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="shop")
    assert "orders" in [table["Name"] for table in listed["TableMetadataList"]]
    databases = lab.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert "shop" in [database["Name"] for database in databases]


def test_a_large_result_is_read_back_whole(lab: Lab) -> None:
    answer = lab.ask("SELECT n, CAST(n AS varchar) AS t FROM UNNEST(sequence(1, 30000)) AS u(n)")
    body = lab.s3.get_object(Bucket=BUCKET, Key=f"results/{answer.id}.csv")["Body"].read().decode()
    assert len(list(csv.reader(io.StringIO(body)))) == 30001
    assert len(answer.rows) == 30000


def test_comments_may_come_first(lab: Lab) -> None:
    assert lab.rows("-- how many\n/* there\nare */ SELECT 1") == [["1"]]
    assert ["shop"] in lab.rows("-- all of them\nSHOW DATABASES")


def test_a_parameter_can_be_a_limit_and_can_be_negative(lab: Lab) -> None:
    sql = "SELECT n - ? FROM UNNEST(sequence(1, 5)) AS t(n) ORDER BY n LIMIT ?"
    assert lab.rows(sql, ExecutionParameters=["-1", "2"]) == [["2"], ["3"]]
