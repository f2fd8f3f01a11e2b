"""Tables of the Glue catalog: formats, partitions, bad data."""

# ruff: noqa: E501  (cases read best one a line)

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.athena.lab import BUCKET, PARQUET, Lab


def _sent(lab: Lab, run) -> list[tuple[str, str]]:
    """S3 calls that Athena makes while ``run`` runs: operation and key or prefix."""
    seen: list[tuple[str, str]] = []
    make = lab.aws.client

    def client(service, *arguments, **more):
        made = make(service, *arguments, **more)
        if service == "s3":
            made.meta.events.register(
                "before-parameter-build.s3",
                lambda params, model, **_: seen.append(
                    (model.name, params.get("Key") or params.get("Prefix") or "")
                ),
            )
        return made

    lab.aws.client = client  # type: ignore[method-assign]
    try:
        run()
    finally:
        del lab.aws.client
    return seen


def test_decimals_never_pass_through_a_binary_float(lab: Lab) -> None:
    exact = "123456789012345678901234567890123456.10"
    lab.put(
        "exact/a.json", [f'{{"d": {exact}, "note": "\\"d\\": 1.10"}}', '{"d": "1.10", "note": ""}']
    )
    lab.table("exact", {"d": "decimal(38,2)", "note": "string"})
    assert lab.rows("SELECT * FROM exact ORDER BY d DESC") == [[exact, '"d": 1.10'], ["1.10", ""]]


def test_keys_of_json_match_columns_whatever_their_case(lab: Lab) -> None:
    lab.put("cased/a.json", ['{"attemptsMade": 4, "rawData": "eA=="}'])
    lab.table("cased", {"attemptsmade": "int", "rawdata": "string"})
    assert lab.rows("SELECT attemptsMade, rawdata FROM cased") == [["4", "eA=="]]


def test_nested_columns_are_arrays_rows_and_maps(lab: Lab) -> None:
    lab.put(
        "nested/a.json", ['{"tags": ["a", "b"], "who": {"name": "x", "age": 3}, "m": {"k": 1}}']
    )
    lab.table(
        "nested",
        {"tags": "array<string>", "who": "struct<name:string,age:int>", "m": "map<string,int>"},
    )
    assert lab.rows("SELECT tags, who, m, who.name, m['k'], cardinality(tags) FROM nested") == [
        ["[a, b]", "{name=x, age=3}", "{k=1}", "x", "1", "2"]
    ]
    rows = lab.rows("SELECT t.tag FROM nested CROSS JOIN UNNEST(tags) AS t(tag) ORDER BY 1")
    assert rows == [["a"], ["b"]]


def test_hidden_and_empty_objects_are_not_read(lab: Lab) -> None:
    lab.put("hidden/a.json", ['{"a": 1}'])
    lab.put("hidden/_SUCCESS", ["no json"])
    lab.put("hidden/.tmp/b.json", ["no json"])
    lab.s3.put_object(Bucket=BUCKET, Key="hidden/", Body=b"")
    lab.table("hidden", {"a": "int"})
    assert lab.rows("SELECT a FROM hidden") == [["1"]]


def test_a_malformed_line_fails_the_query_unless_the_table_ignores_it(lab: Lab) -> None:
    lab.put("broken/a.json", ['{"a": 1}', "{broken", '{"a": 2}'])
    lab.table("broken", {"a": "int"})
    answer = lab.ask("SELECT a FROM broken")
    assert (answer.state, answer.reason.split(" - ")[0]) == (
        "FAILED",
        "HIVE_CURSOR_ERROR: Row is not a valid JSON Object",
    )
    assert f"s3://{BUCKET}/broken/a.json" in answer.reason
    lab.table(
        "tolerant",
        {"a": "int"},
        location=f"s3://{BUCKET}/broken/",
        serde_properties={"ignore.malformed.json": "true"},
    )
    assert lab.rows("SELECT a FROM tolerant ORDER BY a") == [["1"], ["2"], [None]]


def test_a_value_of_another_type_fails_the_queries_that_read_its_column(lab: Lab) -> None:
    lab.put("bad/a.json", ['{"a": "x1", "b": 1}', '{"a": 2, "b": 2}'])
    lab.table("bad", {"a": "int", "b": "int"})
    answer = lab.ask("SELECT a FROM bad")
    assert answer.state == "FAILED"
    assert answer.reason.startswith("HIVE_BAD_DATA: Error parsing field value 'x1' for field 'a'")
    assert answer.execution["Status"]["AthenaError"]["ErrorCategory"] == 2
    assert lab.rows("SELECT sum(b) FROM bad") == [["3"]]


def test_new_objects_and_new_versions_are_seen_at_once(lab: Lab) -> None:
    lab.table("fresh", {"a": "int"})
    assert lab.rows("SELECT a FROM fresh") == []
    lab.put("fresh/a.json", ['{"a": 1}'])
    assert lab.rows("SELECT a FROM fresh") == [["1"]]
    lab.put("fresh/a.json", ['{"a": 2}'])
    lab.put("fresh/b.json.gz", ['{"a": 3}'], zipped=True)
    assert lab.rows("SELECT a FROM fresh ORDER BY a") == [["2"], ["3"]]
    lab.s3.delete_object(Bucket=BUCKET, Key="fresh/a.json")
    assert lab.rows("SELECT a FROM fresh") == [["3"]]


def test_an_object_is_fetched_once_for_as_long_as_it_does_not_change(lab: Lab) -> None:
    lab.put("once/a.json", ['{"a": 1}'])
    lab.table("once", {"a": "int"})
    first = _sent(lab, lambda: lab.rows("SELECT a FROM once"))
    second = _sent(lab, lambda: lab.rows("SELECT sum(a) FROM once"))
    assert ("GetObject", "once/a.json") in first
    assert ("GetObject", "once/a.json") not in second


def test_the_scan_counts_compressed_bytes(lab: Lab) -> None:
    size = lab.put("sized/a.json.gz", [{"a": 1, "b": "x" * 100}] * 50, zipped=True)
    lab.table("sized", {"a": "int", "b": "string"})
    assert lab.ask("SELECT count(*) FROM sized").scanned == size
    assert lab.ask("SELECT count(*) FROM sized").scanned == size  # cached, but scanned on AWS
    assert lab.ask("SELECT 1").scanned == 0


def test_the_path_of_a_row_is_known(lab: Lab) -> None:
    lab.put("paths/x.json", ['{"a": 1}'])
    lab.put("paths/y.json", ['{"a": 2}'])
    lab.table("paths", {"a": "int"})
    rows = lab.rows('SELECT a, "$path" FROM paths ORDER BY "$path"')
    assert rows == [["1", f"s3://{BUCKET}/paths/x.json"], ["2", f"s3://{BUCKET}/paths/y.json"]]
    assert lab.ask("SELECT * FROM paths").header == ["a"]
    assert lab.rows("SELECT a FROM paths WHERE \"$path\" LIKE '%y.json'") == [["2"]]


# -- Parquet ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def columnar(lab: Lab) -> Lab:
    for name, start in (("a", 0), ("b", 1000)):
        table = pa.table(
            {
                "id": pa.array(range(start, start + 1000), pa.int64()),
                "price": pa.array([i / 100 for i in range(1000)]).cast(
                    pa.decimal128(10, 2), safe=False
                ),
                "at": pa.array(
                    [datetime(2026, 11, 21, 2, 18, 0, 123000)] * 1000, pa.timestamp("us")
                ),
                "filler": pa.array([f"{start}-{i}" * 20 for i in range(1000)]),
            }
        )
        body = io.BytesIO()
        pq.write_table(table, body, compression="snappy")
        lab.s3.put_object(Bucket=BUCKET, Key=f"columnar/{name}.parquet", Body=body.getvalue())
    lab.table(
        "columnar",
        {
            "id": "bigint",
            "price": "decimal(10,2)",
            "at": "timestamp",
            "filler": "string",
            "later": "int",
        },
        serde=PARQUET,
    )
    return lab


def test_parquet_is_read_by_column_name(columnar: Lab) -> None:
    answer = columnar.ask("SELECT id, price, at, later FROM columnar WHERE id = 1500")
    assert answer.rows == [["1500", "5.00", "2026-11-21 02:18:00.123", None]]
    assert answer.types == ["bigint", "decimal", "timestamp", "integer"]


def test_parquet_scans_only_the_columns_that_the_query_reads(columnar: Lab) -> None:
    narrow = columnar.ask("SELECT sum(price) FROM columnar").scanned
    wide = columnar.ask("SELECT * FROM columnar").scanned
    assert 0 < narrow < wide / 3
    assert columnar.ask("SELECT count(*) FROM columnar").scanned == 0


# -- partitions ------------------------------------------------------------------------------------

TODAY = datetime.now(UTC).date()


def _day(ago: int) -> str:
    return str(TODAY - timedelta(days=ago))


@pytest.fixture(scope="module")
def projected(lab: Lab) -> Lab:
    for ago in (0, 1, 5, 40):
        for hour in ("03", "17"):
            key = f"log/day={_day(ago)}/hour={hour}/x.json"
            lab.put(key, [{"orderid": f"{ago}-{hour}", "n": ago}])
    lab.table(
        "log",
        {"orderid": "string", "n": "int"},
        keys={"day": "string", "hour": "string"},
        properties={
            "projection.enabled": "true",
            "projection.day.type": "date",
            "projection.day.format": "yyyy-MM-dd",
            "projection.day.range": "NOW-30DAYS,NOW",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "projection.hour.type": "integer",
            "projection.hour.range": "0,23",
            "projection.hour.digits": "2",
            "storage.location.template": f"s3://{BUCKET}/log/day=${{day}}/hour=${{hour}}/",
        },
    )
    lab.rows("CREATE VIEW recent AS SELECT orderid, day, hour, n * 2 AS twice FROM log")
    return lab


def test_projected_partitions_end_with_their_range(projected: Lab) -> None:
    assert projected.rows("SELECT count(*), count(DISTINCT day) FROM log") == [["6", "3"]]


def test_a_new_partition_is_visible_at_once(projected: Lab) -> None:
    projected.put(f"log/day={_day(2)}/hour=09/x.json", [{"orderid": "new", "n": 2}])
    rows = projected.rows(f"SELECT orderid, hour FROM log WHERE day = '{_day(2)}'")
    projected.s3.delete_object(Bucket=BUCKET, Key=f"log/day={_day(2)}/hour=09/x.json")
    assert rows == [["new", "09"]]


YESTERDAY = "date_format(current_date - interval '1' day, '%Y-%m-%d')"
FILTERS = [
    (f"SELECT orderid FROM log WHERE day = '{_day(1)}'", {1}),
    (f"SELECT orderid FROM log WHERE day = '{_day(1)}' AND hour = '03'", {1}),
    (f"SELECT orderid FROM log WHERE day = {YESTERDAY}", {1}),
    (f"SELECT orderid FROM log WHERE day >= {YESTERDAY}", {0, 1}),
    (f"SELECT orderid FROM log WHERE day BETWEEN '{_day(5)}' AND '{_day(1)}'", {1, 5}),
    (f"SELECT orderid FROM log WHERE day IN ('{_day(5)}', '{_day(0)}')", {0, 5}),
    (f"SELECT orderid FROM log WHERE day <> '{_day(5)}'", {0, 1}),
    ("SELECT orderid FROM log WHERE date(day) > current_date - interval '3' day", {0, 1}),
    ("SELECT orderid FROM log WHERE CAST(day AS date) = current_date", {0}),
    (f"SELECT orderid FROM log WHERE (day = '{_day(1)}' AND n = 1) OR day = '{_day(5)}'", {1, 5}),
    (f"SELECT orderid FROM log WHERE n = 1 AND (day = '{_day(1)}' OR day = '{_day(0)}')", {0, 1}),
    (f"SELECT orderid FROM recent WHERE day = '{_day(1)}'", {1}),
    (f"WITH w AS (SELECT * FROM recent) SELECT orderid FROM w WHERE day = '{_day(1)}'", {1}),
    (f"SELECT max(orderid) FROM (SELECT * FROM log) x WHERE x.day = '{_day(0)}'", {0}),
    (f"SELECT orderid FROM (SELECT orderid, day d FROM log) WHERE d = '{_day(0)}'", {0}),
    (f"SELECT count(*) FROM (SELECT day, count(*) c FROM log GROUP BY day) WHERE day = '{_day(0)}'", {0}),
    (
        f"SELECT count(*) FROM (SELECT orderid, day FROM log UNION ALL SELECT orderid, day FROM log) u "
        f"WHERE day = '{_day(5)}'",
        {5},
    ),
    (f"SELECT a.orderid FROM log a JOIN log b ON a.orderid = b.orderid WHERE a.day = '{_day(1)}' AND b.day = '{_day(1)}'", {1}),
    (
        f"SELECT a.orderid FROM log a LEFT JOIN log b ON a.orderid = b.orderid AND b.day = '{_day(1)}' "
        f"WHERE a.day = '{_day(1)}'",
        {1},
    ),
    (f"SELECT orderid, row_number() OVER (PARTITION BY day ORDER BY n) r FROM log WHERE day = '{_day(1)}'", {1}),
    (
        f"SELECT * FROM (SELECT day, row_number() OVER (PARTITION BY day ORDER BY n) r FROM log) "
        f"WHERE day = '{_day(1)}' AND r = 1",
        {1},
    ),
    (f"SELECT count(*) FROM log WHERE day = '{_day(40)}'", set()),
    ("SELECT count(*) FROM log WHERE n = 1", {0, 1, 5}),
    (f"SELECT * FROM (SELECT day, row_number() OVER (ORDER BY n) r FROM log) WHERE day = '{_day(1)}'", {0, 1, 5}),
    (f"SELECT * FROM (SELECT * FROM log ORDER BY orderid LIMIT 3) WHERE day = '{_day(1)}'", {0, 1, 5}),
    (
        f"SELECT * FROM (SELECT a.n, b.day FROM log a LEFT JOIN log b ON a.n = b.n) WHERE day IS NULL OR day = '{_day(1)}'",
        {0, 1, 5},
    ),
    (
        f"WITH w AS (SELECT * FROM log) SELECT a.n FROM w a CROSS JOIN w b "
        f"WHERE a.day = '{_day(1)}' AND b.day = '{_day(5)}'",
        {1, 5},
    ),
    (
        f"WITH w AS (SELECT * FROM log) SELECT n FROM w WHERE day = '{_day(1)}' "
        "AND EXISTS (SELECT 1 FROM w u WHERE u.n = 5)",
        {0, 1, 5},
    ),
    (
        f"SELECT x.n FROM (VALUES 1) v(k) RIGHT JOIN (SELECT * FROM log) x ON x.day = '{_day(1)}'",
        {0, 1, 5},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "days"), FILTERS)
def test_only_the_partitions_that_the_query_needs_are_read(
    projected: Lab, sql: str, days: set[int]
) -> None:
    seen: set[str] = set()
    fetch = projected.gateway._athena._engine.lake.fetch

    def spy(caller, objects):
        seen.update(one.values[0] for one in objects)
        return fetch(caller, objects)

    projected.gateway._athena._engine.lake.fetch = spy
    try:
        projected.rows(sql)
    finally:
        del projected.gateway._athena._engine.lake.fetch
    assert seen == {_day(ago) for ago in days}


@pytest.mark.parametrize("sql", [sql for sql, _ in FILTERS])
def test_pruning_does_not_change_the_answer(
    projected: Lab, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned = projected.rows(sql)
    monkeypatch.setattr("local.athena.sql.conditions", lambda *_: {})
    assert sorted(map(str, projected.rows(sql))) == sorted(map(str, pruned))


def test_other_days_are_not_even_listed(projected: Lab) -> None:
    calls = _sent(projected, lambda: projected.rows(f"SELECT n FROM log WHERE day = '{_day(1)}'"))
    listed = [prefix for operation, prefix in calls if operation == "ListObjectsV2"]
    assert listed
    assert all(prefix.startswith(f"log/day={_day(1)}/") for prefix in listed)


def test_enum_partitions(lab: Lab) -> None:
    lab.put("typed/eu/7/x.json", ['{"a": 1}'])
    lab.put("typed/us/7/x.json", ['{"a": 2}'])
    lab.put("typed/us/8/x.json", ['{"a": 3}'])
    lab.table(
        "typed",
        {"a": "int"},
        keys={"region": "string", "device": "string"},
        properties={
            "projection.enabled": "true",
            "projection.region.type": "enum",
            "projection.region.values": "eu,us",
            "projection.device.type": "integer",
            "projection.device.range": "7,8",
            "storage.location.template": f"s3://{BUCKET}/typed/${{region}}/${{device}}/",
        },
    )
    assert lab.rows("SELECT region, device, a FROM typed WHERE device = '7' ORDER BY a") == [
        ["eu", "7", "1"],
        ["us", "7", "2"],
    ]
    assert lab.rows("SELECT sum(a) FROM typed WHERE device IN ('7', '8') AND region = 'us'") == [
        ["5"]
    ]


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"type": "injected"}, "partition projection of the type 'injected'"),
        ({"type": "date", "format": "yyyy-MMM", "range": "NOW,NOW"}, "the date pattern"),
        (
            {"type": "date", "format": "yyyy-MM", "range": "NOW-3MONTHS,NOW"},
            "steps of months in partition projection",
        ),
    ],
)
def test_other_projections_are_refused(lab: Lab, properties: dict[str, str], why: str) -> None:
    name = f"refused_{properties['type']}_{len(properties.get('range', ''))}"
    given = {f"projection.k.{key}": value for key, value in properties.items()}
    lab.table(
        name, {"a": "int"}, keys={"k": "string"}, properties={"projection.enabled": "true", **given}
    )
    answer = lab.ask(f"SELECT a FROM {name}")
    assert answer.reason.startswith(f"NOT_SUPPORTED: This local Athena does not support {why}")


def _add_partition(lab: Lab, table: str, value: str, location: str) -> None:
    partition = {"Values": [value], "StorageDescriptor": {"Location": location}}
    lab.glue.create_partition(DatabaseName="shop", TableName=table, PartitionInput=partition)


def test_glue_partitions_are_used_without_projection(lab: Lab) -> None:
    lab.put("parted/year=2025/x.json", ['{"a": 1}'])
    lab.put("parted/year=2026/x.json", ['{"a": 2}'])
    lab.table("parted", {"a": "int"}, keys={"year": "int"})
    assert lab.rows("SELECT a FROM parted") == []
    for year in ("2025", "2026"):
        _add_partition(lab, "parted", year, f"s3://{BUCKET}/parted/year={year}")
    assert lab.rows("SHOW PARTITIONS parted") == [["year=2025"], ["year=2026"]]
    assert lab.rows("SELECT year, a FROM parted ORDER BY year") == [["2025", "1"], ["2026", "2"]]
    assert lab.rows("SELECT a FROM parted WHERE year = 2026") == [["2"]]
    lab.put("elsewhere/x.json", ['{"a": 3}'])
    _add_partition(lab, "parted", "2027", f"s3://{BUCKET}/elsewhere/")
    assert lab.rows("SELECT a FROM parted WHERE year > 2026") == [["3"]]


def test_a_table_of_an_unknown_format_says_so(lab: Lab) -> None:
    lab.put("csv/a.csv", ["1,2"])
    lab.table("csv", {"a": "int"}, serde="org.apache.hadoop.hive.serde2.RegexSerDe")
    answer = lab.ask("SELECT a FROM csv")
    assert answer.reason.startswith("HIVE_UNSUPPORTED_FORMAT: Table 'shop.csv' uses")
