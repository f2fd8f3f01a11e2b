"""Schema files: a table's schema as YAML or JSON, each problem with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from schema.model import Column, Schema, SchemaError, find_problems

_MOST_BYTES = 2**20
_SCHEMA = ("name", "key", "sort_key", "columns")
_FLAGS = ("required", "personal")
_COLUMN = ("name", "attribute", "type", "comment", "privacy", *_FLAGS)
_NEEDED = {"schema": ("name", "key", "columns"), "column": ("name", "type")}


def load(path: Path) -> Schema:
    """Read a schema file.

    Raises
    ------
    SchemaError
        With every problem, one a line: ``FILE:LINE: text``.
    """
    try:
        data = path.read_bytes()
        if len(data) > _MOST_BYTES:
            raise SchemaError(f"{path}: larger than 1 MiB, which no schema is")
        root = yaml.compose(data.decode(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SchemaError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SchemaError(f"{path}: not UTF-8 text") from None
    except RecursionError:
        raise SchemaError(f"{path}: nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise SchemaError(f"{path}:{line}: not YAML or JSON: {error.problem}") from None
    except yaml.YAMLError as error:
        raise SchemaError(f"{path}: not YAML or JSON: {error}") from None
    return _Reader(path).schema(root)


class _Reader:
    """Makes a schema of a file's nodes, and keeps the line of each part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[tuple[int, str]] = []
        self._lines: dict[tuple[str | int, ...], int] = {(): 1}

    def schema(self, root: Any) -> Schema:
        parts = self._members(root, "schema", _SCHEMA, ())
        columns = self._columns(parts.get("columns"))
        given = {name: self._text(parts[name], name) for name in _SCHEMA[:3] if name in parts}
        if self._problems:
            raise self._error()
        whole: dict[str, Any] = {"sort_key": None, **given, "columns": columns}
        self._problems = [(self._line(at), text) for at, text in find_problems(**whole)]
        if self._problems:
            raise self._error()
        return Schema(**whole)

    def _columns(self, node: Any) -> tuple[Column, ...]:
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._problem(node, "columns: must be a list of columns, each with a name and a type")
            return ()
        return tuple(
            column
            for index, one in enumerate(node.value)
            if (column := self._column(one, ("columns", index)))
        )

    def _column(self, node: Any, place: tuple[str | int, ...]) -> Column | None:
        parts = self._members(node, "column", _COLUMN, place)
        given: dict[str, Any] = {
            name: (self._flag if name in _FLAGS else self._text)(value, name)
            for name, value in parts.items()
        }
        if not all(given.get(name) for name in _NEEDED["column"]):
            return None
        return Column(**{name: value for name, value in given.items() if value is not None})

    def _members(
        self, node: Any, what: str, known: tuple[str, ...], place: tuple[str | int, ...]
    ) -> Mapping[str, Any]:
        """A mapping's values by name; unknown, repeated and missing names are problems."""
        if not isinstance(node, yaml.MappingNode):
            names = ", ".join(known)
            self._problem(node, f"a {what} is a mapping with {names}")
            return {}
        self._lines[place] = node.start_mark.line + 1
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                self._problem(key, f"{name}: given twice")
            elif name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f" (known: {', '.join(known)})"
                self._problem(key, f"{name}: a {what} has no such part{hint}")
            else:
                found[name] = value
                self._lines[*place, name] = key.start_mark.line + 1
        for name in _NEEDED[what]:
            if name not in found:
                self._problem(node, f"{name}: missing; a {what} needs it")
        return found

    def _text(self, node: Any, name: str) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            kind = node.tag.rpartition(":")[2]
            if kind == "str":
                return str(node.value)
            if kind == "null" and name in ("sort_key", "comment", "attribute"):
                return None
            self._problem(node, f"{name}: YAML reads {node.value!r} as {kind}; put it in quotes")
        else:
            self._problem(node, f"{name}: must be text")
        return None

    def _flag(self, node: Any, name: str) -> bool:
        if isinstance(node, yaml.ScalarNode) and node.value in ("true", "false"):
            return bool(node.value == "true")
        self._problem(node, f"{name}: must be true or false")
        return False

    def _problem(self, node: Any, text: str) -> None:
        self._problems.append((node.start_mark.line + 1 if node else 1, text))

    def _line(self, place: tuple[str | int, ...]) -> int:
        while place not in self._lines:
            place = place[:-1]
        return self._lines[place]

    def _error(self) -> SchemaError:
        texts = (f"{self._path}:{line}: {text}" for line, text in sorted(self._problems))
        return SchemaError("\n".join(texts))


def dump(schema: Schema, notes: Mapping[str, str] | None = None) -> str:
    """Write a schema as YAML that `load` reads.

    Parameters
    ----------
    notes:
        A comment for some columns, by name.
    """
    return "\n".join(_lines(schema, notes or {})) + "\n"


def _lines(schema: Schema, notes: Mapping[str, str]) -> Iterator[str]:
    yield f"name: {_quoted(schema.name)}"
    yield f"key: {_quoted(schema.key)}"
    if schema.sort_key:
        yield f"sort_key: {_quoted(schema.sort_key)}"
    yield "columns:"
    for column in schema.columns:
        for note in notes.get(column.name, "").splitlines():
            yield f"  # {note}"
        yield f"  - name: {_quoted(column.name)}"
        if column.attribute != column.name:
            yield f"    attribute: {_quoted(column.attribute)}"
        yield f"    type: {_quoted(column.type)}"
        if column.comment:
            yield f"    comment: {_quoted(column.comment)}"
        if column.required:
            yield "    required: true"
        if column.personal:
            yield "    personal: true"
        if column.personal or column.privacy != "keep":
            yield f"    privacy: {column.privacy}"


def _quoted(text: str) -> str:
    """``text`` as one YAML scalar on one line, in quotes where YAML needs them."""
    return (
        yaml.safe_dump(text, width=float("inf"), allow_unicode=True).removesuffix("...\n").strip()
    )
