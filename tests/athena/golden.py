"""The golden statements: SQL, and what Trino answers.

``golden/AREA.sql`` holds one statement a line; a line that is only an expression is selected, from
what the last ``-- FROM`` line names. ``golden/AREA.jsonl`` holds Trino's answers, which
``python -m scripts.trino`` records. A statement that the local Athena refuses ends with
``-- refused: WHAT``; every other one must have Trino's answer, or fail with the error of Trino's
name (or, if the line ends with ``-- fails: NAME``, with this one).
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from local.athena.results import java_double
from tests.athena.lab import BUCKET, DATABASE, PARQUET, Lab

FOLDER = Path(__file__).with_name("golden")


@dataclass(frozen=True)
class Statement:
    """One line of a statement file, and the refusal or the name of the error that it expects."""

    area: str
    line: str
    sql: str
    refused: str | None
    fails: str | None


def areas() -> list[str]:
    """The names of the statement files."""
    return sorted(file.stem for file in FOLDER.glob("*.sql"))


def statements(area: str) -> list[Statement]:
    """The statements of one file."""
    found, source = [], ""
    for text in (FOLDER / f"{area}.sql").read_text(encoding="utf-8").splitlines():
        if text.startswith("-- FROM"):
            source = text.removeprefix("-- FROM").strip()
        if not text.strip() or text.startswith("--"):
            continue
        text, _, fails = text.partition("  -- fails: ")  # noqa: PLW2901
        line, _, refused = text.partition("  -- refused: ")
        sql = line
        if not re.match(r"(SELECT|WITH|VALUES|TABLE|FROM)\b|\(SELECT", line, re.IGNORECASE):
            sql = f"SELECT {line}" + (f" FROM {source}" if source else "")
        found.append(Statement(area, line, sql, refused or None, fails or None))
    return found


def answers(area: str) -> dict[str, dict[str, Any]]:
    """Trino's answers by statement: ``types`` and ``rows``, or ``error``."""
    lines = (FOLDER / f"{area}.jsonl").read_text(encoding="utf-8").splitlines()
    return {one["sql"]: one for one in map(json.loads, lines)}


def is_ordered(sql: str) -> bool:
    """Does the statement itself, not a window or a subquery, say in which order its rows are?"""
    depth, text = 0, re.sub(r"'(?:[^']|'')*'", "''", sql)
    for match in re.finditer(r"[()]|\bORDER\s+BY\b", text, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0 and match[0] not in "()":
            return True
    return False


def make_tables(lab: Lab) -> None:
    """The tables that the statements read; their data is in ``golden/tables.json``."""
    for name, table in json.loads((FOLDER / "tables.json").read_text(encoding="utf-8")).items():
        if "rows" in table:
            lab.put(f"{name}/rows.json", table["rows"])
            lab.table(name, table["columns"])
        else:
            for i, file in enumerate(table["files"]):
                key = f"{name}/{i}.parquet"
                lab.s3.put_object(Bucket=BUCKET, Key=key, Body=_parquet(**file))
            lab.table(name, table["columns"], serde=PARQUET)
    lab.rows(
        f"CREATE TABLE sales_parquet WITH (external_location = 's3://{BUCKET}/sales_parquet/') "
        f"AS SELECT * FROM {DATABASE}.sales",
        workgroup="open",
    )
    assert (
        lab.glue.get_table(DatabaseName=DATABASE, Name="sales_parquet")["Table"][
            "StorageDescriptor"
        ]["SerdeInfo"]["SerializationLibrary"]
        == PARQUET
    )


def _parquet(columns: dict[str, str], rows: list[str]) -> bytes:
    """A Parquet file: its columns with DuckDB's types, and its rows as a DuckDB INSERT has them."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        database.execute(f"CREATE TABLE t ({listed})")
        database.execute(f"INSERT INTO t VALUES {', '.join(rows)}")
        file = Path(folder) / "t.parquet"
        database.execute(f"COPY t TO '{file}' (FORMAT parquet)")
        return file.read_bytes()


# -- Trino's JSON as Athena's text -----------------------------------------------------------------


def athena_type(trino: str) -> str:
    """A type as the local Athena names it: Athena shows no lengths."""
    shown = re.sub(r"\b(varchar|char)\(\d+\)", "varchar", trino.replace("INTERVAL", "interval"))
    shown = re.sub(r"decimal\((\d+), (\d+)\)", r"decimal(\1,\2)", shown)
    return shown.lower() if shown.startswith("interval") else shown


def athena_text(value: Any, trino: str) -> str | None:
    """What Athena writes into its result for a value of Trino's protocol."""
    if value is None:
        return None
    kind, inner = _parsed(trino)
    if kind == "array":
        return "[" + ", ".join(_nested(one, inner[0]) for one in value) + "]"
    if kind == "map":
        pairs = (f"{_nested(k, inner[0])}={_nested(v, inner[1])}" for k, v in value.items())
        return "{" + ", ".join(pairs) + "}"
    if kind == "row":
        fields = [re.fullmatch(r'(?:("(?:[^"]|"")*"|\w+) )?(.*)', one) for one in inner]
        pairs = (
            f"{(field[1] or f'field{i}').strip(chr(34))}={_nested(one, field[2])}"
            for i, (field, one) in enumerate(zip(fields, value, strict=True))
            if field
        )
        return "{" + ", ".join(pairs) + "}"
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if kind == "double":
        return java_double(float(value))
    if kind == "real":
        return java_double(float(value))
    if kind.startswith("timestamp"):
        moment, fraction, zone = re.fullmatch(r"(\S+ [\d:]+)(?:\.(\d+))?( \S+)?", value).groups()  # type: ignore[union-attr]
        return f"{moment}.{(fraction or '').ljust(3, '0')}{zone or ''}"
    if kind == "varbinary":
        return base64.b64decode(value).hex(" ")
    return str(value)


def _nested(value: Any, trino: str) -> str:
    shown = athena_text(value, trino)
    return "null" if shown is None else shown


def _parsed(trino: str) -> tuple[str, list[str]]:
    kind, bracket, inner = trino.partition("(")
    if kind not in ("array", "map", "row") or not bracket:
        return trino, []
    parts, depth, start, inner = [], 0, 0, inner[:-1]
    for i, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(inner[start:i].strip())
            start = i + 1
    return kind, [*parts, inner[start:].strip()]
