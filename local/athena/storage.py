"""S3 objects as DuckDB rows: listed and read with the caller's permissions, decoded once.

An object is fetched once per ETag. JSON is decoded once per object and table definition into a
DuckDB table, so a dashboard's next query reads neither S3 nor JSON again. Parquet is read in place.
S3 checks each caller's permission to read an object.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from local.account.aws import Aws, Credentials
from local.athena.catalog import Table
from local.athena.errors import QueryError
from local.athena.types import finest, quote, text
from local.athena.values import Value, cast

JSON_SERDES = {"org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe"}
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
CSV_SERDE = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
_READABLE_SECONDS = 30.0
_MAX_LINE = 16 << 20
_MOST_LISTS = 8


Places = Mapping[tuple[str, str], tuple[str, ...]]
"""Bucket and prefix of each partition, and its values as text."""


@dataclass(frozen=True)
class Object:
    """An S3 object and the partition that it belongs to."""

    bucket: str
    key: str
    etag: str
    size: int
    values: tuple[str, ...]
    modified: datetime

    @property
    def path(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def split_location(location: str) -> tuple[str, str]:
    """Bucket and prefix of ``s3://bucket/prefix``."""
    scheme, _, rest = location.partition("://")
    if scheme not in ("s3", "s3a", "s3n") or not rest:
        raise QueryError("", f"The location '{location}' is no S3 path (s3://bucket/prefix/)")
    bucket, _, prefix = rest.partition("/")
    return bucket, prefix


def is_denied(error: ClientError) -> bool:
    """Did S3 refuse for want of a permission?"""
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code in ("AccessDenied", "403", "Forbidden") or status == 403


def output_denied(location: str, error: ClientError) -> QueryError:
    """Why the result cannot be written."""
    if is_denied(error):
        return QueryError(
            "",
            f"Access denied when writing output to url: {location}. Please ensure you are "
            "allowed to access the S3 bucket. If you are encrypting query results with KMS "
            "key, please ensure you are allowed to access your KMS key",
        )
    bucket, _ = split_location(location)
    return QueryError(
        "", f"Unable to verify/create output bucket {bucket}: {error.response['Error']['Message']}"
    )


class Lake:
    """The cache of objects, shared by all queries.

    Parameters
    ----------
    connection:
        Of the database that keeps what was decoded.
    """

    def __init__(self, aws: Aws, directory: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self._aws = aws
        self._directory = directory / "objects"
        self._directory.mkdir(parents=True, exist_ok=True)
        self._connection = connection
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="athena-s3")
        self._readable: dict[tuple[str, Path], float] = {}
        self._decoded: dict[str, set[str]] = defaultdict(set)
        self._bad: dict[tuple[str, str], dict[str, str]] = {}
        self._decoding = threading.Lock()

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(cancel_futures=True)

    # -- S3 ------------------------------------------------------------------------------------

    def list(self, caller: Credentials, places: Places) -> list[Object]:
        """The visible objects of these partitions, in the order of their keys."""
        s3 = self._aws.client("s3", caller)

        def ask(asked: tuple[tuple[str, str], Collection[str]]) -> list[Object]:
            (bucket, prefix), members = asked
            found = []
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            try:
                for item in (one for page in pages for one in page.get("Contents", ())):
                    key, size = item["Key"], item["Size"]
                    home = _home(key, members)
                    if home is not None and size and not _hidden(key[len(home) :]):
                        etag, own = item["ETag"].strip('"'), places[bucket, home]
                        found.append(Object(bucket, key, etag, size, own, item["LastModified"]))
            except ClientError as error:
                raise failed(error, f"s3://{bucket}/{prefix}") from None
            return found

        lists = self._pool.map(ask, _grouped(places).items())
        return sorted((one for found in lists for one in found), key=lambda one: one.path)

    def fetch(self, caller: Credentials, objects: Iterable[Object]) -> None:
        """Bring these objects into the cache, or make sure that the caller may read them."""
        s3 = self._aws.client("s3", caller)
        now = time.monotonic()

        def get(one: Object) -> None:
            file, place = self.file(one), {"Bucket": one.bucket, "Key": one.key}
            if self._readable.get((caller.access_key_id, file), 0) > now:
                return
            try:
                if file.exists():
                    s3.head_object(**place)
                else:
                    same = {"IfMatch": one.etag} if one.etag else {}
                    body = s3.get_object(**place, **same)["Body"]
                    partial = file.with_suffix(f".{threading.get_ident()}.tmp")
                    with partial.open("wb") as out:
                        shutil.copyfileobj(body, out)
                    partial.replace(file)
            except ClientError as error:
                raise failed(error, one.path) from None
            self._readable[caller.access_key_id, file] = now + _READABLE_SECONDS

        list(self._pool.map(get, objects))
        if len(self._readable) > 100_000:
            self._readable = {k: until for k, until in self._readable.items() if until > now}

    def file(self, one: Object) -> Path:
        """Where the cache keeps this object."""
        name = hashlib.sha256(f"{one.path}\n{one.etag}".encode()).hexdigest()[:32]
        return self._directory / (name + Path(one.key).suffix)

    # -- rows ----------------------------------------------------------------------------------

    def expose(
        self,
        cursor: duckdb.DuckDBPyConnection,
        view: str,
        table: Table,
        objects: Sequence[Object],
        columns: Collection[str],
        *,
        deletes: Sequence[Object] = (),
    ) -> int:
        """Make the objects' rows the temporary view ``view``, which is empty before.

        Parameters
        ----------
        columns:
            Those that the query reads; a bad value in another one does not matter.
        deletes:
            Of an Iceberg table: the objects that say which rows are no more, by file and position.

        Returns
        -------
        Bytes that Athena would scan.
        """
        files = [str(self.file(one)) for one in objects]
        scanned = sum(one.size for one in (*objects, *deletes))
        if table.is_iceberg or table.serde == PARQUET_SERDE:
            source, narrow = _parquet(table, files, columns) if files else ("", 0)
            scanned = narrow + sum(one.size for one in deletes)
        elif table.serde == CSV_SERDE:
            source = quote(view + "_rows")
            insert(cursor, source, _csv(table, files))
        elif table.serde in JSON_SERDES:
            source = f"decoded.{self._json(table, objects, columns)}"
        else:
            raise QueryError(
                "HIVE_UNSUPPORTED_FORMAT",
                f"Table '{table.database}.{table.name}' uses {table.serde or 'no SerDe'}; this "
                "local Athena reads OpenX JSON, OpenCSV and Parquet",
            )
        if not objects:
            return 0
        known = quote(view + "_objects")
        described = {
            "$file": files,
            "path": [one.path for one in objects],
            "modified": pa.array([one.modified for one in objects], pa.timestamp("us", "UTC")),
        }
        for i, values in enumerate(zip(*(one.values for one in objects), strict=True)):
            described[f"k{i}"] = values
        insert(cursor, known, pa.table(described))
        source += f' d JOIN {known} o USING ("$file")'
        if deletes:
            gone = ", ".join(text(str(self.file(one))) for one in deletes)
            source += (
                f" ANTI JOIN read_parquet([{gone}]) x"
                " ON x.file_path = o.path AND x.pos = d.file_row_number"
            )
        types = table.duckdb_types()
        plain = [f"d.{quote(name)}" for name in table.columns]
        keys = [
            f"CAST(o.k{i} AS {types[key]}) AS {quote(key)}"
            for i, key in enumerate(table.partition_keys)
        ]
        hidden = ['o.path AS "$path"', "timezone('UTC', o.modified) AS \"$file_modified_time\""]
        cursor.execute(
            f"CREATE OR REPLACE TEMP VIEW {quote(view)} AS SELECT "  # noqa: S608
            f"{', '.join([*plain, *keys, *hidden])} FROM {source}"
        )
        return scanned

    # -- JSON ----------------------------------------------------------------------------------

    def _json(self, table: Table, objects: Sequence[Object], columns: Collection[str]) -> str:
        """Decode what is new; the name of the table that holds the rows."""
        definition = [list(table.columns.items()), sorted(table.serde_properties.items())]
        name = "json_" + hashlib.sha256(json.dumps(definition).encode()).hexdigest()[:16]
        with self._decoding:
            new = {str(self.file(one)) for one in objects} - self._decoded[name]
            if new:
                self._decode(name, table, sorted(new))
                self._decoded[name] |= new
        for one in objects:
            for column, sample in self._bad.get((name, str(self.file(one))), {}).items():
                if not column:
                    message = f"Row is not a valid JSON Object - {one.path}"
                    raise QueryError("HIVE_CURSOR_ERROR", message)
                if column in columns:
                    raise QueryError(
                        "HIVE_BAD_DATA",
                        f"Error parsing field value '{sample}' for field '{column}' of type "
                        f"{table.columns[column]} - {one.path}",
                    )
        return name

    def _decode(self, name: str, table: Table, files: Sequence[str]) -> None:
        types = {one: kind for one, kind in table.duckdb_types().items() if one in table.columns}
        tolerant = table.serde_properties.get("ignore.malformed.json", "").lower() == "true"
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"""CREATE TEMP TABLE lines AS
                SELECT "$file", {_exact_decimals(table, types, "CAST(json AS VARCHAR)")} AS line
                FROM read_json_objects([{", ".join(map(text, files))}], filename = '$file',
                  format = 'newline_delimited', ignore_errors = true,
                  maximum_object_size = {_MAX_LINE})"""  # noqa: S608
            )
            found = "SELECT DISTINCT unnest(json_keys(line)) FROM lines WHERE line IS NOT NULL"
            keys = [row[0] for row in cursor.execute(found).fetchall()]
            selected, bad = _decoder(table, types, keys)
            cursor.execute(
                f"""CREATE TEMP TABLE rows AS SELECT "$file", {selected}, {bad},
                line IS NULL OR json_type(line) <> 'OBJECT' AS "$malformed"
                FROM (FROM lines SELECT *, json_extract_string(line, {_paths(keys)}) AS v)"""  # noqa: S608
            )
            samples = ", ".join(f'any_value("$bad{i}")' for i in range(len(types)))
            for file, malformed, *values in cursor.execute(
                f'SELECT "$file", bool_or("$malformed"), {samples} FROM rows GROUP BY ALL'  # noqa: S608
            ).fetchall():
                known = zip(types, values, strict=True)
                wrong = {column: sample for column, sample in known if sample is not None}
                if malformed and not tolerant:
                    wrong[""] = ""
                if wrong:
                    self._bad[name, file] = wrong
            rows = f"SELECT {', '.join(map(quote, ['$file', *types]))} FROM rows"  # noqa: S608
            cursor.execute(f"CREATE TABLE IF NOT EXISTS decoded.{name} AS {rows} LIMIT 0")
            cursor.execute(f"INSERT INTO decoded.{name} {rows}")


def insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Make a temporary table of these rows."""
    cursor.register("new_rows", rows)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM new_rows")
    cursor.unregister("new_rows")


def _hidden(relative: str) -> bool:
    return any(part[:1] in ("_", ".") for part in relative.split("/"))


def failed(error: ClientError, path: str) -> QueryError:
    """Why an object cannot be read, as Athena words it."""
    if is_denied(error):
        return QueryError("", f"Permission denied on S3 path: {path}")
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code in ("PreconditionFailed", "412", "NoSuchKey", "404"):
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {path}: {message}")
    return QueryError("HIVE_FILESYSTEM_ERROR", f"Cannot read {path}: {code}: {message}")


def _grouped(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Prefixes to list, each with its partitions: many siblings are listed by one request."""
    groups = {place: [place[1]] for place in places}
    while len(groups) > _MOST_LISTS:
        merged: dict[tuple[str, str], list[str]] = defaultdict(list)
        for (bucket, prefix), members in groups.items():
            merged[bucket, prefix.rstrip("/").rpartition("/")[0] + "/"] += members
        if any(prefix == "/" for _, prefix in merged):
            break
        groups = merged
    return groups


def _home(key: str, prefixes: Collection[str]) -> str | None:
    """The longest of the prefixes, which end in a slash or are empty, that this key is under."""
    folders = [key[:i] for i in range(len(key), 0, -1) if key[i - 1] == "/"]
    return next((one for one in [*folders, ""] if one in prefixes), None)


# -- formats ---------------------------------------------------------------------------------------


def _parquet(table: Table, files: Sequence[str], columns: Collection[str]) -> tuple[str, int]:
    """SQL for the rows of Parquet files, by column name; and the bytes of these columns."""
    scanned = 0
    present: dict[str, str] = {}
    for file in files:
        metadata = pq.read_metadata(file)
        present |= {name.lower(): name for name in metadata.schema.to_arrow_schema().names}
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                if chunk.path_in_schema.partition(".")[0].lower() in columns:
                    scanned += chunk.total_compressed_size
    types = table.types()
    selected = []
    for name in table.columns:
        found = quote(present[name]) if name in present else "NULL"
        value = Value(f"CAST({found} AS {types[name].duckdb})", finest(types[name]))
        selected.append(f"{cast(value, types[name]).sql} AS {quote(name)}")
    return (
        f'(SELECT "$file", file_row_number, {", ".join(selected)} FROM read_parquet('  # noqa: S608
        f"[{', '.join(map(text, files))}], filename = '$file', file_row_number = true, "
        "union_by_name = true, hive_partitioning = false))",
        scanned,
    )


def _csv(table: Table, files: Sequence[str]) -> pa.Table:
    """OpenCSVSerde: a row a line, and all strings; a field that a line lacks is NULL."""
    other = {kind for kind in table.columns.values() if kind != "string"}
    if other:
        raise QueryError(
            "HIVE_UNSUPPORTED_FORMAT",
            f"Table '{table.database}.{table.name}': this local Athena reads CSV as strings "
            f"only, not {', '.join(sorted(other))}",
        )
    skipped = int(table.properties.get("skip.header.line.count", "0"))
    given = table.serde_properties.get
    separator, escape = given("separatorChar", ","), given("escapeChar", "\\")
    mark = given("quoteChar", '"')
    names = ["$file", *table.columns]
    rows = []
    for file in files:
        body = Path(file).read_bytes()
        lines = (gzip.decompress(body) if file.endswith(".gz") else body).decode().split("\n")
        for line in [line.removesuffix("\r") for line in lines if line][skipped:]:
            fields = next(
                csv.reader([line], delimiter=separator, quotechar=mark, escapechar=escape)
            )
            rows.append(dict(zip(names, [file, *fields], strict=False)))
    return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))


def _paths(keys: Sequence[str]) -> str:
    quoted = ", ".join(
        text('$."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"') for key in keys
    )
    return f"[{quoted}]" if keys else "['$.\"\"']"


_UNNAMED_DECIMAL = re.compile(r"DECIMAL\([^)]*\)\[|MAP\([^,]*, DECIMAL")
"""In a list or a map: its numbers are under no key of their own, or under any."""


def _exact_decimals(table: Table, types: Mapping[str, str], line: str) -> str:
    """SQL that makes strings of the numbers under a decimal's key: JSON numbers become doubles.

    The key cannot be a part of a JSON string: there its closing quote follows a backslash.
    """
    names = []
    for column, kind in types.items():
        if _UNNAMED_DECIMAL.search(kind):
            return f"trino_quoted_numbers({line})"
        if kind.startswith("DECIMAL"):
            names.append(table.serde_properties.get(f"mapping.{column}", column))
        names += re.findall(r'"?(\w+)"? DECIMAL', kind)
    if not names:
        return line
    keys = "|".join(map(re.escape, names))
    pattern = rf'("(?:{keys})"\s*:\s*)(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)'
    return rf"""regexp_replace({line}, {text(pattern)}, '\1"\2"', 'gi')"""


def _decoder(table: Table, types: Mapping[str, str], keys: Sequence[str]) -> tuple[str, str]:
    """SQL for the typed columns, and for the text of each value that has not its column's type."""
    folds = table.serde_properties.get("case.insensitive", "true").lower() != "false"
    selected, bad = [], []
    for i, (column, kind) in enumerate(types.items()):
        wanted = table.serde_properties.get(f"mapping.{column}", column)
        places = [
            f"v[{place}]"
            for place, key in enumerate(keys, 1)
            if key == wanted or (folds and key.lower() == wanted.lower())
        ]
        raw = f"coalesce({', '.join(places)})" if places else "CAST(NULL AS VARCHAR)"
        nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))
        value = _READ.get(kind, _NESTED if nested else _OTHER).format(raw, kind)
        selected.append(f"{value} AS {quote(column)}")
        bad.append(f'CASE WHEN {value} IS NULL THEN {raw} END AS "$bad{i}"')
    return ", ".join(selected), ", ".join(bad)


_READ = {
    "VARCHAR": "{0}",
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
        "CASE WHEN regexp_full_match({0}, '[+-]?[0-9]+') THEN TRY_CAST({0} AS {1}) END",
    ),
    "TIMESTAMP": (
        "CASE WHEN regexp_full_match({0}, '[0-9]{{10,13}}') THEN make_timestamp_ms("
        "CAST({0} AS BIGINT) * CASE WHEN length({0}) < 12 THEN 1000 ELSE 1 END) "
        "ELSE trino_round_ms(TRY_CAST({0} AS TIMESTAMP), 1000) END"
    ),
    "BOOLEAN": "CASE lower({0}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    "BLOB": "TRY(from_base64({0}))",
}
"""SQL for a text as a value of DuckDB's type; NULL if it is none."""
_NESTED, _OTHER = "TRY_CAST(TRY_CAST({0} AS JSON) AS {1})", "TRY_CAST({0} AS {1})"
