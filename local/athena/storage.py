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
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

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
DELETES = ("deletes",)
"""The partition values that mark an object of an Iceberg table's deletes among its objects."""
_READABLE_SECONDS = 30.0
_MAX_LINE = 16 << 20
_MOST_LISTS = 8


@dataclass(frozen=True)
class Part:
    """A partition: its values (as text) and where its objects are."""

    values: tuple[str, ...]
    bucket: str
    prefix: str


@dataclass(frozen=True)
class Object:
    """An S3 object and the partition that it belongs to."""

    bucket: str
    key: str
    etag: str
    size: int
    values: tuple[str, ...]
    modified: datetime = field(compare=False)

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
        self._readable: dict[tuple[str, str, str, str], float] = {}
        self._ids: dict[tuple[str, Object], int] = {}
        self._bad: dict[int, dict[str, str]] = {}
        self._tables: set[str] = set()
        self._decoding = threading.Lock()

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(cancel_futures=True)

    # -- S3 ------------------------------------------------------------------------------------

    def list(self, caller: Credentials, parts: Collection[Part]) -> list[Object]:
        """The visible objects of these partitions, in the order of their keys."""
        s3 = self._aws.client("s3", caller)
        wanted = {(part.bucket, part.prefix): part for part in parts}
        asked = [(*place, members) for place, members in _grouped(wanted).items()]

        def ask(one: tuple[str, str, list[str]]) -> list[Object]:
            bucket, prefix, members = one
            found, inside = [], set(members)
            for item in self._pages(s3, bucket, prefix):
                home = _home(item["Key"], inside)
                if home is None or item["Size"] == 0 or _hidden(item["Key"][len(home) :]):
                    continue
                found.append(
                    Object(
                        bucket,
                        item["Key"],
                        item["ETag"].strip('"'),
                        item["Size"],
                        wanted[bucket, home].values,
                        item["LastModified"],
                    )
                )
            return found

        lists = self._pool.map(ask, asked) if len(asked) > 1 else map(ask, asked)
        return sorted((one for found in lists for one in found), key=lambda one: one.path)

    def _pages(self, s3: Any, bucket: str, prefix: str) -> Iterable[dict[str, Any]]:
        try:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from page.get("Contents", ())
        except ClientError as error:
            raise failed(error, f"s3://{bucket}/{prefix}") from None

    def fetch(self, caller: Credentials, objects: Sequence[Object]) -> None:
        """Bring these objects into the cache, or make sure that the caller may read them."""
        s3 = self._aws.client("s3", caller)
        now = time.monotonic()

        def get(one: Object) -> None:
            asked = (caller.access_key_id, one.bucket, one.key, one.etag)
            if self._readable.get(asked, 0) > now:
                return
            file = self.file(one)
            try:
                if file.exists():
                    s3.head_object(Bucket=one.bucket, Key=one.key)
                else:
                    same = {"IfMatch": one.etag} if one.etag else {}
                    answer = s3.get_object(Bucket=one.bucket, Key=one.key, **same)
                    partial = file.with_suffix(f".{threading.get_ident()}.tmp")
                    with partial.open("wb") as out:
                        for chunk in answer["Body"].iter_chunks(1 << 20):
                            out.write(chunk)
                    partial.replace(file)
            except ClientError as error:
                raise failed(error, one.path) from None
            self._readable[asked] = now + _READABLE_SECONDS

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
        deletes: Sequence[Object] | None = None,
    ) -> int:
        """Make the objects' rows the temporary view ``view``.

        Parameters
        ----------
        columns:
            Those that the query reads; a bad value in another one does not matter.
        deletes:
            Of an Iceberg table: the objects that say which rows are no more.

        Returns
        -------
        Bytes that Athena would scan.
        """
        if deletes is not None:
            source, scanned = self._iceberg(cursor, view, table, objects, columns, deletes=deletes)
        elif table.serde == PARQUET_SERDE:
            source, scanned = self._parquet(cursor, view, table, objects, columns)
        elif table.serde == CSV_SERDE:
            source, scanned = self._csv(cursor, view, table, objects)
        elif table.serde in JSON_SERDES:
            source, scanned = self._json(cursor, view, table, objects, columns)
        else:
            raise QueryError(
                "HIVE_UNSUPPORTED_FORMAT",
                f"Table '{table.database}.{table.name}' uses {table.serde or 'no SerDe'}; this "
                "local Athena reads OpenX JSON, OpenCSV and Parquet",
            )
        types = table.duckdb_types()
        keys = [
            f"CAST(o.{quote('k' + str(i))} AS {types[name]}) AS {quote(name)}"
            for i, name in enumerate(table.partition_keys)
        ]
        plain = [f"d.{quote(name)}" for name in table.columns]
        hidden = ['o.path AS "$path"', "timezone('UTC', o.modified) AS \"$file_modified_time\""]
        cursor.execute(
            f"CREATE OR REPLACE TEMP VIEW {quote(view)} AS SELECT "  # noqa: S608
            f"{', '.join([*plain, *keys, *hidden])} FROM {source}"
        )
        return scanned

    def _register(
        self,
        cursor: duckdb.DuckDBPyConnection,
        view: str,
        table: Table,
        rows: Sequence[tuple[Any, Object]],
    ) -> str:
        """The temporary table that tells an object's partition values and path by its id."""
        name = view + "_objects"
        arrays: dict[str, Any] = {"id": [key for key, _ in rows], "path": [o.path for _, o in rows]}
        arrays["modified"] = pa.array([o.modified for _, o in rows], pa.timestamp("us", "UTC"))
        for i in range(len(table.partition_keys)):
            arrays[f"k{i}"] = pa.array([one.values[i] for _, one in rows], pa.string())
        cursor.register(name + "_arrow", pa.table(arrays))
        cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE {quote(name)} AS FROM {quote(name + '_arrow')}"
        )
        cursor.unregister(name + "_arrow")
        return quote(name)

    def _empty(self, cursor: duckdb.DuckDBPyConnection, view: str, table: Table) -> str:
        types = table.duckdb_types()
        nulls = ", ".join(f"CAST(NULL AS {types[name]}) AS {quote(name)}" for name in table.columns)
        return f"(SELECT {nulls}) d JOIN {self._register(cursor, view, table, [])} o ON false"

    def _iceberg(
        self,
        cursor: duckdb.DuckDBPyConnection,
        view: str,
        table: Table,
        objects: Sequence[Object],
        columns: Collection[str],
        *,
        deletes: Sequence[Object],
    ) -> tuple[str, int]:
        """Parquet without the rows that a delete file names by file and position."""
        source, scanned = self._parquet(cursor, view, table, objects, columns)
        if not deletes or not objects:
            return source, scanned
        files = ", ".join(text(str(self.file(one))) for one in deletes)
        gone = f"(SELECT file_path, pos FROM read_parquet([{files}]))"  # noqa: S608
        return (
            f"{source} ANTI JOIN {gone} x ON x.file_path = o.path AND x.pos = d.file_row_number",
            scanned + sum(one.size for one in deletes),
        )

    def _parquet(
        self,
        cursor: duckdb.DuckDBPyConnection,
        view: str,
        table: Table,
        objects: Sequence[Object],
        columns: Collection[str],
    ) -> tuple[str, int]:
        scanned = 0
        present: dict[str, str] = {}
        for one in objects:
            metadata = pq.read_metadata(self.file(one))
            present |= {name.lower(): name for name in metadata.schema.to_arrow_schema().names}
            for group in range(metadata.num_row_groups):
                row_group = metadata.row_group(group)
                for i in range(row_group.num_columns):
                    chunk = row_group.column(i)
                    if chunk.path_in_schema.partition(".")[0].lower() in columns:
                        scanned += chunk.total_compressed_size
        if not present:
            return self._empty(cursor, view, table), 0
        types = table.types()
        selected = []
        for name in table.columns:
            found = quote(present[name]) if name in present else "NULL"
            value = Value(f"CAST({found} AS {types[name].duckdb})", finest(types[name]))
            selected.append(f"{cast(value, types[name]).sql} AS {quote(name)}")
        rows = [(str(self.file(one)), one) for one in objects]
        known = self._register(cursor, view, table, rows)
        files = ", ".join(text(file) for file, _ in rows)
        return (
            f"(SELECT filename, file_row_number, {', '.join(selected)} FROM read_parquet("  # noqa: S608
            f"[{files}], filename = true, file_row_number = true, union_by_name = true, "
            f"hive_partitioning = false)) d "
            f"JOIN {known} o ON d.filename = o.id",
            scanned,
        )

    def _csv(
        self,
        cursor: duckdb.DuckDBPyConnection,
        view: str,
        table: Table,
        objects: Sequence[Object],
    ) -> tuple[str, int]:
        """OpenCSVSerde: a row a line, and all strings; a field that a line lacks is NULL."""
        other = {kind for kind in table.columns.values() if kind != "string"}
        if other:
            raise QueryError(
                "HIVE_UNSUPPORTED_FORMAT",
                f"Table '{table.database}.{table.name}': this local Athena reads CSV as strings "
                f"only, not {', '.join(sorted(other))}",
            )
        skipped = int(table.properties.get("skip.header.line.count", "0"))
        options = table.serde_properties
        ids: list[str] = []
        fields: list[list[str | None]] = [[] for _ in table.columns]
        for one in objects:
            body = self.file(one).read_bytes()
            lines = (
                (gzip.decompress(body) if one.key.endswith(".gz") else body).decode().split("\n")
            )
            for line in [line.removesuffix("\r") for line in lines if line][skipped:]:
                found = next(
                    csv.reader(
                        [line],
                        delimiter=options.get("separatorChar", ","),
                        quotechar=options.get("quoteChar", '"'),
                        escapechar=options.get("escapeChar", "\\"),
                    )
                )
                ids.append(one.path)
                for i, column in enumerate(fields):
                    column.append(found[i] if i < len(found) else None)
        names = {
            "$id": pa.array(ids, pa.string()),
            **{
                name: pa.array(values, pa.string())
                for name, values in zip(table.columns, fields, strict=True)
            },
        }
        rows = quote(view + "_rows")
        cursor.register("csv_rows", pa.table(names))
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {rows} AS FROM csv_rows")
        cursor.unregister("csv_rows")
        known = self._register(cursor, view, table, [(one.path, one) for one in objects])
        return f'{rows} d JOIN {known} o ON d."$id" = o.id', sum(one.size for one in objects)

    def _json(
        self,
        cursor: duckdb.DuckDBPyConnection,
        view: str,
        table: Table,
        objects: Sequence[Object],
        columns: Collection[str],
    ) -> tuple[str, int]:
        if not objects:
            return self._empty(cursor, view, table), 0
        decoded = self._decode(table, objects)
        ids = [(self._ids[decoded, _plain(one)], one) for one in objects]
        for number, one in ids:
            for column, sample in self._bad.get(number, {}).items():
                if column == "":
                    raise QueryError(
                        "HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - {one.path}"
                    )
                if column in columns:
                    raise QueryError(
                        "HIVE_BAD_DATA",
                        f"Error parsing field value '{sample}' for field '{column}' of type "
                        f"{table.columns[column]} - {one.path}",
                    )
        known = self._register(cursor, view, table, ids)
        return (
            f'decoded.{quote(decoded)} d JOIN {known} o ON d."$id" = o.id',
            sum(one.size for one in objects),
        )

    def _decode(self, table: Table, objects: Sequence[Object]) -> str:
        """Decode what is new; the name of the table that holds the rows."""
        definition = json.dumps(
            [list(table.columns.items()), sorted(table.serde_properties.items())]
        )
        name = "json_" + hashlib.sha256(definition.encode()).hexdigest()[:16]
        with self._decoding:
            new = [one for one in map(_plain, objects) if (name, one) not in self._ids]
            if new:
                numbers = {one: len(self._ids) + i for i, one in enumerate(dict.fromkeys(new))}
                self._decode_new(name, table, numbers)
                self._ids |= {(name, one): number for one, number in numbers.items()}
        return name

    def _decode_new(self, name: str, table: Table, numbers: Mapping[Object, int]) -> None:
        types = {
            column: kind for column, kind in table.duckdb_types().items() if column in table.columns
        }
        cursor = self._connection.cursor()
        try:
            files = pa.table(
                {"file": [str(self.file(one)) for one in numbers], "id": list(numbers.values())}
            )
            cursor.register("new_files", files)
            listed = ", ".join(text(str(self.file(one))) for one in numbers)
            cursor.execute(
                f"""CREATE TEMP TABLE lines AS SELECT f.id, CAST(j.json AS VARCHAR) AS line
                FROM read_json_objects([{listed}], format = 'newline_delimited', filename = true,
                     ignore_errors = true, maximum_object_size = {_MAX_LINE}) j
                JOIN new_files f ON j.filename = f.file"""  # noqa: S608
            )
            keys = [
                row[0]
                for row in cursor.execute(
                    "SELECT DISTINCT unnest(json_keys(line)) FROM lines WHERE line IS NOT NULL"
                ).fetchall()
            ]
            selected, bad = _decoder(table, types, keys)
            cursor.execute(
                f"""CREATE TEMP TABLE rows AS SELECT id AS "$id", {selected},
                line IS NULL OR json_type(line) <> 'OBJECT' AS "$malformed", {bad} FROM (
                  SELECT *, json_extract_string(line, {_paths(keys)}) AS v FROM (
                    SELECT id, {_exact_decimals(table, types)} AS line FROM lines))"""  # noqa: S608
            )
            malformed = table.serde_properties.get("ignore.malformed.json", "").lower() == "true"
            samples = ", ".join(f'any_value("$bad{i}")' for i in range(len(table.columns)))
            self._remember_bad(
                list(table.columns),
                cursor.execute(
                    f"""SELECT "$id", {"false" if malformed else 'bool_or("$malformed")'},
                    {samples} FROM rows GROUP BY "$id" """  # noqa: S608
                ).fetchall(),
            )
            columns = ", ".join(['"$id"', *map(quote, table.columns)])
            target = f"decoded.{quote(name)}"
            if name in self._tables:
                cursor.execute(f"INSERT INTO {target} SELECT {columns} FROM rows")  # noqa: S608
            else:
                cursor.execute(f"CREATE TABLE {target} AS SELECT {columns} FROM rows")  # noqa: S608
                self._tables.add(name)
        finally:
            cursor.close()

    def _remember_bad(self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        for number, malformed, *samples in rows:
            found = {c: s for c, s in zip(columns, samples, strict=True) if s is not None}
            if malformed:
                found[""] = ""
            if found:
                self._bad[number] = found


def _plain(one: Object) -> Object:
    """Without the partition, which is not in the object."""
    return replace(one, values=())


def _hidden(relative: str) -> bool:
    return any(part[:1] in ("_", ".") for part in relative.split("/"))


def failed(error: ClientError, path: str) -> QueryError:
    """Why an object cannot be read, as Athena words it."""
    if is_denied(error):
        return QueryError("", f"Permission denied on S3 path: {path}")
    told = error.response["Error"]
    if told["Code"] in ("PreconditionFailed", "412", "NoSuchKey", "404"):
        return QueryError(
            "HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {path}: {told['Message']}"
        )
    return QueryError(
        "HIVE_FILESYSTEM_ERROR", f"Cannot read {path}: {told['Code']}: {told['Message']}"
    )


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
    end = len(key)
    while end >= 0:
        if key[:end] in prefixes:
            return key[:end]
        end = key.rfind("/", 0, end - 1) + 1 if end > 1 else -1
    return "" if "" in prefixes else None


def _paths(keys: Sequence[str]) -> str:
    quoted = ", ".join(
        text('$."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"') for key in keys
    )
    return f"[{quoted}]" if keys else "['$.\"\"']"


_UNNAMED_DECIMAL = re.compile(r"DECIMAL\([^)]*\)\[|MAP\([^,]*, DECIMAL")
"""In a list or a map: its numbers are under no key of their own, or under any."""


def _exact_decimals(table: Table, types: Mapping[str, str]) -> str:
    """SQL that makes strings of the numbers under a decimal's key: JSON numbers become doubles.

    The key cannot be a part of a JSON string: there its closing quote follows a backslash.
    """
    if any(_UNNAMED_DECIMAL.search(kind) for kind in types.values()):
        return "trino_quoted_numbers(line)"
    names = []
    for column, kind in types.items():
        if kind.startswith("DECIMAL") and not kind.endswith("]"):
            names.append(table.serde_properties.get(f"mapping.{column}", column))
        elif "DECIMAL" in kind:
            names += re.findall(r'"?(\w+)"? DECIMAL', kind)
    if not names:
        return "line"
    keys = "|".join(map(re.escape, names))
    number = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
    pattern = rf'("(?:{keys})"\s*:\s*)({number})'
    quoted = r'\1"\2"'
    return f"regexp_replace(line, {text(pattern)}, {text(quoted)}, 'gi')"


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
        value = _value(raw, kind)
        selected.append(f"{value} AS {quote(column)}")
        bad.append(f'CASE WHEN {value} IS NULL THEN {raw} END AS "$bad{i}"')
    return ", ".join(selected), ", ".join(bad)


def _value(raw: str, kind: str) -> str:  # noqa: PLR0911  (one a type)
    """SQL for a text as a value of DuckDB's type ``kind``; NULL if it is none."""
    if kind == "VARCHAR":
        return raw
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"):
        return (
            f"CASE WHEN regexp_full_match({raw}, '[+-]?[0-9]+') THEN TRY_CAST({raw} AS {kind}) END"
        )
    if kind == "TIMESTAMP":
        scale = f"CASE WHEN length({raw}) < 12 THEN 1000 ELSE 1 END"
        return (
            f"CASE WHEN regexp_full_match({raw}, '[0-9]{{10,13}}') "
            f"THEN make_timestamp_ms(CAST({raw} AS BIGINT) * {scale}) "
            f"ELSE trino_round_ms(TRY_CAST({raw} AS TIMESTAMP), 1000) END"
        )
    if kind == "BOOLEAN":
        return f"CASE lower({raw}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind == "BLOB":
        return f"TRY(from_base64({raw}))"
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return f"TRY_CAST(TRY_CAST({raw} AS JSON) AS {kind})"
    return f"TRY_CAST({raw} AS {kind})"
