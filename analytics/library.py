"""Read the SQL files: queries with their parameters, and views over a schema's columns.

Standard library only, since the Pulumi program reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from string import Template

from schema import EXTRAS, ORDERS, Column, Schema, about_orders, types

_HERE = Path(__file__).parent
_DECLARED = re.compile(r"param (?P<name>\w+) (?P<type>\w+) (?P<default>\S+) (?P<meaning>.+)")
_PLACE = re.compile(r"/\*(?P<name>\w+)\*/ (?P<literal>DATE '[^']*'|'(?:[^']|'')*'|\d+)")
_KEY = re.compile(r"(?P<alias>\w+\.)?orderid /\*key\*/")
_KEY_DECLARED = "-- param orderid string required the item's orderid"
_KEY_GIVEN = "log.orderid = /*orderid*/ 'an order id'"
_COLUMNS = re.compile(r"^( *).* /\*columns\*/$", re.MULTILINE)
_EACH = re.compile(r"^( *)/\*(each column[^*]*)\*/\n.*?/\*end\*/\n", re.MULTILINE | re.DOTALL)
_REQUIRED = "required"
_ORDERS = "orders"
"""The folder of the queries about orders alone."""
_MOST = 100_000
_LONGEST = 1024
"""Athena's limit, in characters, for an execution parameter."""


def _window(value: str) -> str:
    if not 1 <= int(value) <= _MOST:
        raise ValueError
    return str(int(value))


def _moment(value: str) -> str:
    moment = datetime.fromisoformat(value)
    return f"TIMESTAMP '{moment.isoformat(sep=' ', timespec='milliseconds')}'"


_KINDS: Mapping[str, tuple[str, str, Callable[[str], str]]] = {
    "int": ("[0-9]{1,6}", f"a whole number from 1 to {_MOST}", _window),
    "date": (
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "a date like 2026-11-21",
        lambda value: f"DATE '{date.fromisoformat(value)}'",
    ),
    "string": (
        "[^\0]+",
        f"1 to {_LONGEST - 2} characters, none of them NUL",
        lambda value: "'" + value.replace("'", "''") + "'",
    ),
    "bigint": ("-?[0-9]{1,19}", "a whole number", lambda value: str(int(value))),
    "decimal": (
        r"-?[0-9]{1,38}(\.[0-9]{1,38})?",
        "a number like 12.50",
        lambda value: f"DECIMAL '{value}'",
    ),
    "double": (
        r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?",
        "a number like 12.5 or 1e9",
        lambda value: f"DOUBLE '{value}'",
    ),
    "timestamp": (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?",
        "a time like 2026-11-21 09:30:00.000, UTC",
        _moment,
    ),
}
"""The types of parameters: the form of a value, the same in words, and its SQL literal."""


class ParameterError(ValueError):
    """Invalid parameters of a query; the message lists every problem."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A query's parameter.

    Parameters
    ----------
    name, meaning:
        Its name and description.
    type:
        ``int`` (a whole number from 1), ``date`` (``YYYY-MM-DD``) or ``string``; for a key also
        ``bigint``, ``decimal``, ``double`` or ``timestamp``.
    default:
        The default as text; None if a value is required.
    """

    name: str
    type: str
    default: str | None
    meaning: str

    def literal(self, value: str) -> str:
        """Return ``value`` as an SQL literal, the form of Athena's execution parameters.

        >>> Parameter(name="who", type="string", default=None, meaning="").literal("O'Neill")
        "'O''Neill'"

        Raises
        ------
        ParameterError
            The value is not of this parameter's type.
        """
        if self.type not in _KINDS:
            raise ValueError(f"parameter {self.name}: unknown type {self.type}")
        form, wanted, literal = _KINDS[self.type]
        try:
            if not re.fullmatch(form, value, re.DOTALL):
                raise ValueError
            text = literal(value)
        except ValueError:
            raise self._refuse(value, wanted) from None
        if len(text) > _LONGEST:
            raise self._refuse(value, wanted)
        return text

    def _refuse(self, value: str, wanted: str) -> ParameterError:
        shown = value if len(value) <= 40 else value[:40] + "..."
        return ParameterError(f"{self.name}={shown!r}: expected {wanted} ({self.meaning})")


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query.

    Parameters
    ----------
    name, title, description:
        The file's name, the first line of its comment, and the rest of the comment.
    sql:
        One statement with ``?`` for each use of a parameter.
    saved_sql:
        The query for the Athena console: the file itself, with each default as a literal to edit
        after its parameter's name. A parameter without a default is ``?``: the console prompts for
        it.
    parameters:
        Its parameters, each once.
    placeholders:
        The parameter of each ``?`` in ``sql``, in order.
    """

    name: str
    title: str
    description: str
    sql: str
    saved_sql: str
    parameters: tuple[Parameter, ...]
    placeholders: tuple[str, ...]

    def bind(self, values: Mapping[str, str]) -> list[str]:
        """Return Athena's execution parameters for ``values``, with the defaults for the others.

        Raises
        ------
        ParameterError
            Every unknown name and every missing or wrong value.
        """
        problems = [f"no parameter {name!r}" for name in values if name not in self._names]
        literals = {}
        for parameter in self.parameters:
            value = values.get(parameter.name, parameter.default)
            if value is None:
                problems.append(f"{parameter.name} is needed: {parameter.meaning}")
                continue
            try:
                literals[parameter.name] = parameter.literal(value)
            except ParameterError as error:
                problems.append(str(error))
        if problems:
            takes = ", ".join(f"{p.name} ({p.type})" for p in self.parameters) or "none"
            raise ParameterError(f"{self.name}: {'; '.join(problems)}. Its parameters: {takes}")
        return [literals[name] for name in self.placeholders]

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(parameter.name for parameter in self.parameters)


@dataclass(frozen=True, kw_only=True)
class View:
    """A view: its SELECT in Athena's SQL, and its columns as ``(name, Hive type)``."""

    name: str
    sql: str
    columns: tuple[tuple[str, str], ...]


def load_queries(schema: Schema = ORDERS, *, directory: Path = _HERE / "queries") -> list[Query]:
    """Return the queries for a table of this schema, by name.

    The files of ``directory`` are for every schema, those of its folder ``orders`` for orders. The
    files are written for orders. For each schema its keys and columns replace

    - ``orderid /*key*/``, the parameter ``orderid``, and its use,
    - a line that ends with ``/*columns*/``, by every column of the table,
    - the lines from ``/*each column ...*/`` to ``/*end*/``, by one line for each column but the
      keys, and ``extras``.

    Raises
    ------
    ValueError
        A file's declarations and its statement differ.
    """
    files = [*directory.glob("*.sql")]
    if about_orders(schema):
        files += directory.glob(f"{_ORDERS}/*.sql")
    return [_query(path, schema) for path in sorted(files, key=lambda path: path.stem)]


def load_views(database: str, schema: Schema = ORDERS) -> list[View]:
    """Return the views over ``database``.projection, each after the views that it reads."""
    columns = _columns(schema)
    names = _names(database, schema)
    return [
        View(
            name="changes",
            sql=_statement("changes").substitute(names),
            columns=(*columns, ("day", "string"), ("hour", "string")),
        ),
        View(
            name=schema.current_view,
            sql=_statement("current").substitute(names),
            columns=columns,
        ),
    ]


def load_batch_view(database: str, schema: Schema = ORDERS) -> View:
    """Return the view of the latest state for the batch job.

    The job fills in ``${day}`` and ``${hour}``.
    """
    # Iceberg stores microseconds; the timestamps of event rows have milliseconds.
    kept = ", ".join(_as_in_the_log(column) for column in schema.event_row)
    names = _names(database, schema) | {"table_columns": kept, "table": _quoted(schema.name)}
    sql = _statement("current_batch").safe_substitute(names)
    return View(name=schema.current_view, sql=sql, columns=_columns(schema))


def _columns(schema: Schema) -> tuple[tuple[str, str], ...]:
    return tuple((column.name, column.hive) for column in schema.event_row)


def _as_in_the_log(column: Column) -> str:
    """A column of the batch job's table, with the type that the log has."""
    name, kind = _quoted(column.name), types.trino(column.parsed)
    return f"CAST({name} AS {kind}) AS {name}" if "timestamp" in kind else name


def _names(database: str, schema: Schema) -> dict[str, str]:
    return {
        "columns": ", ".join(_quoted(column.name) for column in schema.event_row),
        "keys": ", ".join(map(_quoted, schema.keys)),
        "database": _quoted(database),
    }


def _quoted(name: str) -> str:
    return f'"{name}"'


def _statement(view: str) -> Template:
    _, body = _split((_HERE / "views" / f"{view}.sql").read_text(encoding="utf-8"))
    return Template(body)


def _for_schema(text: str, schema: Schema) -> str:
    """A file's text for another schema than the orders that it is written for."""

    def keys(place: re.Match[str]) -> str:
        return ", ".join(f"{place['alias'] or ''}{_quoted(key)}" for key in schema.keys)

    def columns(place: re.Match[str]) -> str:
        names = ", ".join(_quoted(column.name) for column in schema.columns)
        return f"{place[1]}{names},"

    def each(place: re.Match[str]) -> str:
        changing = [column for column in schema.columns if column.name not in schema.keys]
        lines = [_LINES[place[2]](column) for column in (*changing, EXTRAS)]
        between = ",\n" if place[2] == _NAMES else "\n"
        return between.join(f"{place[1]}{line}" for line in lines) + "\n"

    parameters = {_parameter(key): schema[key] for key in schema.keys}
    declared = "\n".join(
        f"-- param {name} {_kind(key)} {_REQUIRED} the item's {key.name}"
        for name, key in parameters.items()
    )
    given = "\n        AND ".join(
        f"log.{_quoted(key.name)} = /*{name}*/ 'a key'" for name, key in parameters.items()
    )
    text = text.replace(_KEY_DECLARED, declared).replace(_KEY_GIVEN, given)
    return _EACH.sub(each, _COLUMNS.sub(columns, _KEY.sub(keys, text)))


_NAMES, _TEXTS = "each column's name", "each column as text"
_LINES: Mapping[str, Callable[[Column], str]] = {
    _NAMES: lambda column: f"('{column.name}')",
    _TEXTS: lambda column: f"WHEN '{column.name}' THEN {_as_text(column)}",
}


def _as_text(column: Column) -> str:
    name = f"log.{_quoted(column.name)}"
    if types.is_nested(column.parsed):
        return f"json_format(CAST({name} AS JSON))"
    return name if column.hive == "string" else f"CAST({name} AS varchar)"


def _parameter(key: str) -> str:
    """The name of the parameter for a key: the column's, unless another parameter has it."""
    return "key_since" if key == "since" else key


def _kind(key: Column) -> str:
    """The type of the parameter for a key."""
    if key.decimal:
        return "decimal"
    return {"int": "bigint", "binary": "string"}.get(key.type, key.type)


def _split(text: str) -> tuple[list[str], str]:
    """The lines of the leading comment, without their dashes, and the statement."""
    lines = text.splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("--"))
    return [line[2:].strip() for line in lines[:end]], "\n".join(lines[end:]).strip()


def _query(path: Path, schema: Schema) -> Query:
    text = _for_schema(path.read_text(encoding="utf-8").strip(), schema)
    (title, *comment), body = _split(text)
    declared = [_DECLARED.fullmatch(line) for line in comment if line.startswith("param ")]
    if None in declared:
        raise ValueError(f"{path}: a parameter is declared as: -- param NAME TYPE DEFAULT MEANING")
    parameters = {
        match["name"]: Parameter(
            name=match["name"],
            type=match["type"],
            default=None if match["default"] == _REQUIRED else match["default"],
            meaning=match["meaning"],
        )
        for match in declared
        if match
    }
    places = list(_PLACE.finditer(body))
    if used := {place["name"] for place in places} ^ parameters.keys():
        raise ValueError(f"{path}: declared but not used, or used but not declared: {used}")
    for place in places:
        parameter = parameters[place["name"]]
        if parameter.default and parameter.literal(parameter.default) != place["literal"]:
            raise ValueError(f"{path}: {place[0]} is not the declared {parameter.default}")

    def ask_for_required(place: re.Match[str]) -> str:
        return f"/*{place['name']}*/ ?" if parameters[place["name"]].default is None else place[0]

    prose = (line for line in comment if not line.startswith("param "))
    return Query(
        name=path.stem,
        title=title,
        description="\n".join(prose).strip(),
        sql=_PLACE.sub("?", body),
        saved_sql=_PLACE.sub(ask_for_required, text),
        parameters=tuple(parameters.values()),
        placeholders=tuple(place["name"] for place in places),
    )
