"""Read the SQL files: queries with their parameters, and views over a schema's columns.

Standard library only, since the Pulumi program reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from string import Template

from schema import ORDERS, Schema

_HERE = Path(__file__).parent
_DECLARED = re.compile(r"param (?P<name>\w+) (?P<type>\w+) (?P<default>\S+) (?P<meaning>.+)")
_PLACE = re.compile(r"/\*(?P<name>\w+)\*/ (?P<literal>DATE '[^']*'|'(?:[^']|'')*'|\d+)")
_KEY = re.compile(r"(?P<alias>\w+\.)?orderid /\*key\*/")
_REQUIRED = "required"

_MOST = 100_000
_LONGEST = 1024
"""Athena's limit, in characters, for an execution parameter."""


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
        ``int`` (a whole number from 1), ``date`` (``YYYY-MM-DD``) or ``string``.
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
        match self.type:
            case "int":
                if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= _MOST:
                    raise self._refuse(value, f"a whole number from 1 to {_MOST}")
                return str(int(value))
            case "date":
                try:
                    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                        raise ValueError
                    return f"DATE '{date.fromisoformat(value)}'"
                except ValueError:
                    raise self._refuse(value, "a date like 2026-11-21") from None
            case "string":
                text = "'" + value.replace("'", "''") + "'"
                if not value or "\0" in value or len(text) > _LONGEST:
                    raise self._refuse(value, f"1 to {_LONGEST - 2} characters, none of them NUL")
                return text
        raise ValueError(f"parameter {self.name}: unknown type {self.type}")

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


def schema_of(outputs: Mapping[str, str]) -> Schema:
    """The orders' schema in the stack with these outputs; it may have a sort key."""
    return replace(ORDERS, sort_key=outputs.get("sortKey"))


def load_queries(schema: Schema = ORDERS, *, directory: Path = _HERE / "queries") -> list[Query]:
    """Return every query of ``directory``, by name.

    ``orderid /*key*/`` in a file stands for an item's key. If ``schema`` has a sort key, it is
    replaced by both keys.

    Raises
    ------
    ValueError
        A file's declarations and its statement differ.
    """
    return [_query(path, schema) for path in sorted(directory.glob("*.sql"))]


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
            sql=_statement("current_orders").substitute(names),
            columns=columns,
        ),
    ]


def load_batch_view(database: str, schema: Schema = ORDERS) -> View:
    """Return the batch job's view of current items; it fills in ``${day}`` and ``${hour}``."""
    # Iceberg stores microseconds; the timestamps of event rows have milliseconds.
    kept = ", ".join(
        f'CAST("{name}" AS timestamp(3)) AS "{name}"' if kind == "timestamp" else f'"{name}"'
        for name, kind in _columns(schema)
    )
    names = _names(database, schema) | {"table_columns": kept}
    sql = _statement("current_orders_batch").safe_substitute(names)
    return View(name=schema.current_view, sql=sql, columns=_columns(schema))


def _columns(schema: Schema) -> tuple[tuple[str, str], ...]:
    return tuple((column.name, column.hive) for column in schema.event_row)


def _names(database: str, schema: Schema) -> dict[str, str]:
    return {
        "columns": ", ".join(f'"{name}"' for name, _ in _columns(schema)),
        "keys": ", ".join(f'"{name}"' for name in schema.keys),
        "database": f'"{database}"',
    }


def _statement(view: str) -> Template:
    _, body = _split((_HERE / "views" / f"{view}.sql").read_text(encoding="utf-8"))
    return Template(body)


def _split(text: str) -> tuple[list[str], str]:
    """The lines of the leading comment, without their dashes, and the statement."""
    lines = text.splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("--"))
    return [line[2:].strip() for line in lines[:end]], "\n".join(lines[end:]).strip()


def _query(path: Path, schema: Schema) -> Query:
    def keys(place: re.Match[str]) -> str:
        return ", ".join(f"{place['alias'] or ''}{key}" for key in schema.keys)

    text = _KEY.sub(keys, path.read_text(encoding="utf-8").strip())
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
