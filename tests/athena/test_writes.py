"""Statements that write: CTAS by partition, INSERT INTO, ALTER TABLE, and Glue's part in them."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.athena.lab import BUCKET, DATABASE, Lab


@pytest.fixture
def days(lab: Lab) -> Iterator[str]:
    """A table by day, with rows of two."""
    name = "days_" + uuid.uuid4().hex[:8]
    done = lab.ask(
        f"CREATE TABLE {name} WITH (table_type = 'hive', is_external = true, format = 'parquet', "
        f"external_location = 's3://{BUCKET}/{name}', partitioned_by = ARRAY['day']) AS "
        "SELECT * FROM (VALUES (1, 'a', DATE '2026-11-24'), (2, 'b:c', DATE '2026-11-25')) "
        "AS t(id, note, day)",
        workgroup="open",
    )
    assert done.state == "SUCCEEDED", done.reason
    yield name
    lab.ask(f"DROP TABLE {name}")


def ids(lab: Lab, table: str) -> list[str | None]:
    return [row[0] for row in lab.rows(f"SELECT id FROM {table} ORDER BY id")]


def refusal(lab: Lab, sql: str, workgroup: str = "open") -> str:
    try:
        answer = lab.ask(sql, workgroup=workgroup)
    except ClientError as error:
        return str(error)
    assert answer.state == "FAILED"
    return answer.reason


def test_ctas_writes_one_object_a_partition(lab: Lab, days: str) -> None:
    keys = [
        one["Key"] for one in lab.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{days}/")["Contents"]
    ]
    assert [key.split("/")[1] for key in keys] == ["day=2026-11-24", "day=2026-11-25"]
    body = lab.s3.get_object(Bucket=BUCKET, Key=keys[0])["Body"].read()
    assert pq.read_table(io.BytesIO(body)).to_pylist() == [{"id": 1, "note": "a"}]
    assert lab.rows(f"SELECT * FROM {days} WHERE day = DATE '2026-11-25'") == [
        ["2", "b:c", "2026-11-25"]
    ]
    shown = lab.rows(f"SHOW PARTITIONS {days}")
    assert [row[0] for row in shown] == ["day=2026-11-24", "day=2026-11-25"]


def test_a_partition_of_special_characters_is_escaped_in_its_path(lab: Lab) -> None:
    lab.rows(
        f"CREATE TABLE escaped WITH (external_location = 's3://{BUCKET}/escaped/', "
        "partitioned_by = ARRAY['k']) AS SELECT 1 AS id, 'a/b=c:d' AS k",
        workgroup="open",
    )
    (item,) = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="escaped/")["Contents"]
    assert item["Key"].startswith("escaped/k=a%2Fb%3Dc%3Ad/")
    assert lab.rows("SELECT id, k FROM escaped WHERE k = 'a/b=c:d'") == [["1", "a/b=c:d"]]


def test_insert_appends_and_makes_partitions(lab: Lab, days: str) -> None:
    done = lab.ask(
        f"INSERT INTO {days} (day, id) (SELECT DATE '2026-11-25', 3 UNION ALL "
        "SELECT DATE '2026-11-26', 4)"
    )
    assert done.state == "SUCCEEDED", done.reason
    assert done.execution["StatementType"] == "DML"
    assert done.execution["SubstatementType"] == "INSERT"
    counted = lab.athena.get_query_results(QueryExecutionId=done.id)["UpdateCount"]
    assert counted == 2
    assert lab.rows(f"SELECT id, note, day FROM {days} ORDER BY id") == [
        ["1", "a", "2026-11-24"],
        ["2", "b:c", "2026-11-25"],
        ["3", None, "2026-11-25"],
        ["4", None, "2026-11-26"],
    ]
    assert len(lab.rows(f"SHOW PARTITIONS {days}")) == 3


def test_insert_values(lab: Lab, days: str) -> None:
    lab.rows(f"INSERT INTO {days} VALUES (5, 'e', DATE '2026-11-24')")
    assert ids(lab, days) == ["1", "2", "5"]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("INSERT INTO {t} SELECT 'x', 'a', DATE '2026-11-24'", "TYPE_MISMATCH"),
        ("INSERT INTO {t} SELECT BIGINT '1', 'a', DATE '2026-11-24'", "TYPE_MISMATCH"),
        ("INSERT INTO {t} SELECT 1", "TYPE_MISMATCH"),
        ("INSERT INTO {t} (id, other) SELECT 1, 2", "Insert column name does not exist"),
        ("INSERT INTO {t} (id) SELECT 1", "key is NULL or empty"),
        ("INSERT INTO nothing SELECT 1", "TABLE_NOT_FOUND"),
        (
            "CREATE TABLE refused WITH (external_location = 's3://lake/refused/', "
            "partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b",
            "HIVE_COLUMN_ORDER_MISMATCH",
        ),
        (
            "CREATE TABLE refused WITH (external_location = 's3://lake/refused/', "
            "partitioned_by = ARRAY['k']) AS "
            "SELECT 1 AS a, k FROM UNNEST(sequence(1, 101)) AS t(k)",
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
        ),
        (
            "CREATE TABLE refused WITH (table_type = 'iceberg') AS SELECT 1 AS a",
            "table_type = iceberg",
        ),
        (
            "CREATE TABLE refused WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a",
            "bucketed_by",
        ),
    ],
)
def test_what_athena_refuses_or_this_one_does_not_know_is_refused(
    lab: Lab, days: str, sql: str, why: str
) -> None:
    assert why in refusal(lab, sql.format(t=days))
    assert ids(lab, days) == ["1", "2"]
    assert not lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="refused/").get("Contents")


def test_a_workgroup_that_enforces_its_location_refuses_another(lab: Lab) -> None:
    why = refusal(
        lab,
        f"CREATE TABLE elsewhere WITH (external_location = 's3://{BUCKET}/e/') AS SELECT 1 AS a",
        workgroup="team",
    )
    assert "enforces a centralized output location" in why


def test_columns_and_properties_are_altered(lab: Lab, days: str) -> None:
    lab.rows(f"ALTER TABLE `{DATABASE}`.`{days}` SET TBLPROPERTIES ('classification' = 'parquet')")
    lab.rows(f"ALTER TABLE {days} ADD COLUMNS (`extra` string, more int)")
    table = lab.glue.get_table(DatabaseName=DATABASE, Name=days)["Table"]
    assert table["Parameters"]["classification"] == "parquet"
    assert table["Parameters"]["EXTERNAL"] == "TRUE"
    assert lab.rows(f"SELECT id, extra, more FROM {days} WHERE id = 1") == [["1", None, None]]
    lab.rows(f"ALTER TABLE {days} REPLACE COLUMNS (id int)")
    assert lab.rows(f"SELECT * FROM {days} WHERE id = 1") == [["1", "2026-11-24"]]
    assert "Duplicate column name id" in refusal(lab, f"ALTER TABLE {days} ADD COLUMNS (id int)")


def test_csv_is_read_as_opencsv_reads_it(lab: Lab) -> None:
    lab.s3.put_object(
        Bucket=BUCKET,
        Key="csv/a.csv",
        Body=b'name,note\n"a, b","say ""hi"""\nplain,\n"short"\n',
    )
    lab.rows(
        f"CREATE EXTERNAL TABLE csv_table (`name` string, `note` string) "
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
        f"LOCATION 's3://{BUCKET}/csv' TBLPROPERTIES ('skip.header.line.count'='1')"
    )
    assert sorted(lab.rows("SELECT name, note FROM csv_table"), key=str) == sorted(
        [["a, b", 'say "hi"'], ["plain", ""], ["short", None]], key=str
    )


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("day='2026-11-24'", ["2026-11-24"]),
        ("(day = '2026-11-24') OR (day = '2026-11-25')", ["2026-11-24", "2026-11-25"]),
        ("day > '2026-11-24' AND day <= '2027-01-01'", ["2026-11-25"]),
        ("day IN ('2026-11-25')", ["2026-11-25"]),
        ("NOT day = '2026-11-25'", ["2026-11-24"]),
        ("day='1999-01-01'", []),
    ],
)
def test_glue_finds_partitions_by_an_expression(
    lab: Lab, days: str, expression: str, found: list[str]
) -> None:
    glue = lab.aws.client("glue")
    answer = glue.get_partitions(DatabaseName=DATABASE, TableName=days, Expression=expression)
    assert sorted(one["Values"][0] for one in answer["Partitions"]) == found


@pytest.mark.parametrize("expression", ["id = 1", "day LIKE '2026%'", "day = 'soon'", "day ="])
def test_glue_refuses_an_expression_that_it_cannot_evaluate(
    lab: Lab, days: str, expression: str
) -> None:
    with pytest.raises(ClientError, match="InvalidInputException"):
        lab.aws.client("glue").get_partitions(
            DatabaseName=DATABASE, TableName=days, Expression=expression
        )


def test_glue_keeps_the_versions_of_a_table(lab: Lab, days: str) -> None:
    lab.rows(f"ALTER TABLE {days} SET TBLPROPERTIES ('step' = '1')")
    lab.rows(f"ALTER TABLE {days} SET TBLPROPERTIES ('step' = '2')")
    glue, table = lab.aws.client("glue"), {"DatabaseName": DATABASE, "TableName": days}
    versions = glue.get_table_versions(**table)["TableVersions"]
    assert [one["Table"]["Parameters"].get("step") for one in versions] == ["2", "1", None]
    glue.delete_table_version(**table, VersionId=versions[1]["VersionId"])
    left = glue.get_table_versions(**table)["TableVersions"]
    assert [one["Table"]["Parameters"].get("step") for one in left] == ["2", None]
    with pytest.raises(ClientError, match="latest version"):
        glue.delete_table_version(**table, VersionId=versions[0]["VersionId"])


def test_glue_deletes_many_partitions(lab: Lab, days: str) -> None:
    answer = lab.aws.client("glue").batch_delete_partition(
        DatabaseName=DATABASE,
        TableName=days,
        PartitionsToDelete=[{"Values": ["2026-11-24"]}, {"Values": ["1999-01-01"]}],
    )
    assert [one["PartitionValues"] for one in answer["Errors"]] == [["1999-01-01"]]
    assert ids(lab, days) == ["2"]


def test_glue_leaves_out_a_description_that_nobody_gave(lab: Lab) -> None:
    glue, name = lab.aws.client("glue"), "said_" + uuid.uuid4().hex[:8]
    glue.create_database(DatabaseInput={"Name": name})
    table = {"StorageDescriptor": {"Columns": [{"Name": "a", "Type": "int"}]}}
    glue.create_table(DatabaseName=name, TableInput={"Name": "plain", **table})
    glue.create_table(DatabaseName=name, TableInput={"Name": "told", "Description": "x", **table})
    databases = {one["Name"]: one for one in glue.get_databases()["DatabaseList"]}
    tables = {one["Name"]: one for one in glue.get_tables(DatabaseName=name)["TableList"]}
    for found in (
        glue.get_database(Name=name)["Database"],
        databases[name],
        glue.get_table(DatabaseName=name, Name="plain")["Table"],
        tables["plain"],
    ):
        assert "Description" not in found
    assert tables["told"]["Description"] == "x"
    assert glue.get_table(DatabaseName=name, Name="told")["Table"]["Description"] == "x"
