"""The imports between packages: one direction, no cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("client", "schema")
"""What every tool may import."""
DEVELOPERS = ("benchmarks", "chaos", "acceptance", "scripts", "simulation")
ROOMS: dict[str, set[str]] = {
    "__main__": {"components", "analytics", "schema"},
    "components": {"analytics", "schema"},
    "components.arguments": {"components.archives", "schema"},
    "components.archives": {"schema"},
    "components.definitions": {"components.arguments", "schema"},
    "package": {"components", "schema"},
    "schema": set(),
    "schema.commands": {"client", "operate", "schema"},
    "client": {"schema"},
    "operate": {*PRODUCT},
    "generator": {*PRODUCT},
    "analytics": {*PRODUCT},
    "lambda": {"generator"},
    "jobs": set(),
    "local": {"analytics", "components", "generator", "operate", *PRODUCT},
}
"""What each room may import beside itself and the rooms within it; developer tools: anything."""


def files(room: str) -> list[Path]:
    """The package's own files, without those of its subpackages."""
    place = ROOT / room.replace(".", "/")
    if not place.is_dir():
        return [place.with_suffix(".py")]
    inner = [ROOT / one.replace(".", "/") for one in ROOMS if one.startswith(f"{room}.")]
    return [one for one in place.rglob("*.py") if not any(i in one.parents for i in inner)]


def module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(file: Path) -> frozenset[str]:
    """The project's modules that a file imports, at module level or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            within = {f"{node.module}.{one.name}" for one in node.names}
            found |= {one if _file(one) else node.module for one in within}
    return frozenset(one for one in found if _file(one))


@cache
def _file(name: str) -> Path | None:
    place = ROOT / name.replace(".", "/")
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None


def room_of(name: str) -> str:
    rooms = [one for one in ROOMS if name == one or name.startswith(f"{one}.")]
    return max(rooms, key=len) if rooms else name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    allowed = {room, *ROOMS[room]}
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files(room)
        for name in imports(file)
        if not _within(room_of(name), allowed)
    ]
    assert not wrong


def _within(room: str, allowed: set[str]) -> bool:
    return any(room == one or room.startswith(f"{one}.") for one in allowed)


def test_nothing_but_developer_tools_imports_local() -> None:
    assert not [room for room, allowed in ROOMS.items() if "local" in allowed]
    known = {*ROOMS, *DEVELOPERS, "tests", "examples"}
    tops = {file.relative_to(ROOT).parts[0] for file in ROOT.glob("*/**/*.py")}
    assert {one for one in tops if not one.startswith(".")} <= known, "a folder that no rule knows"


def graph() -> dict[str, frozenset[str]]:
    rooms = [*ROOMS, *DEVELOPERS]
    every = [
        file
        for room in rooms
        if (ROOT / room.replace(".", "/")).is_dir()
        for file in (ROOT / room.replace(".", "/")).rglob("*.py")
    ]
    return {module(file): imports(file) for file in every}


def test_there_are_no_circles() -> None:
    assert list(circles(graph())) == []


def circles(edges: dict[str, frozenset[str]]) -> Iterator[list[str]]:
    """An import cycle for each module that is part of one."""
    done: set[str] = set()

    def walk(path: list[str]) -> Iterator[list[str]]:
        for name in sorted(edges.get(path[-1], ())):
            if name in path:
                yield [*path[path.index(name) :], name]
            elif name not in done:
                yield from walk([*path, name])
        done.add(path[-1])

    for start in sorted(edges):
        if start not in done:
            yield from walk([start])


def test_a_circle_is_seen() -> None:
    edges = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"a"})}
    assert list(circles(edges)) == [["a", "b", "c", "a"]]
