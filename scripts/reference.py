"""Generate the tables in docs/ from the code: ``python -m scripts.reference [--check]``.

The text between ``<!-- NAME -->`` and ``<!-- /NAME -->`` is replaced; a test runs it with --check.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pulumi
import yaml

import components
from scripts import scaling

ROOT = Path(__file__).resolve().parent.parent
_CHAIN = ("CdcSource", "ChangeStream", "StreamBridge", "DeliveryToLake", "Catalog", "Access")
_OUTPUTS = {
    "region": "the region",
    "orderGeneratorFunctionName": "the function that places orders; only with `orderGenerator`",
    "schema": "the table's name, keys and columns as JSON; the tools read it",
    "dashboardUrl": "the URL of the QuickSight dashboard; only with `dashboard`",
}


def configuration() -> str:
    """One row per setting: type, default, the values in dev and prod, description."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    stacks = {
        name: yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]
        for name in ("dev", "prod")
    }
    rows = [("setting", "default", "dev", "prod", "")]
    for key, declared in project["config"].items():
        given = [stacks[name].get(f"{project['name']}:{key}") for name in stacks]
        shown = ("" if value is None else _code(value) for value in given)
        rows.append((f"`{key}`", _code(declared["default"]), *shown, declared["description"]))
    return _table(rows)


def outputs() -> str:
    """One row per stack output."""
    told = {
        _camel(name): text
        for component in _components()
        for name, text in _attribute_docs(component).items()
    }
    text = (ROOT / "__main__.py").read_text()
    exported = re.findall(r'export\("(\w+)"', text)
    for names in re.findall(r"export\(\w+, ([^)]*)\)", text):
        exported += [_camel(name) for name in re.findall(r'"(\w+)"', names)]
    source = next(one for one in _components() if one.__name__ == "CdcSource")
    special = _OUTPUTS | {
        "kinesisStreamName": told["streamName"],
        "streamArn": _attribute_docs(source)["stream_arn"],
    }
    rows = [("output", "what it is")]
    rows += [(f"`{name}`", special.get(name) or told[name]) for name in exported]
    return _table(rows)


def component_sections() -> str:
    """One section per component: description, inputs with defaults, outputs."""
    return "\n\n".join(_section(component) for component in _components())


def benchmarks() -> str:
    """One row per benchmark, as recorded by `make bench-record`."""
    rows = [("what", "ours", "peer", "ratio", "goal", "unit")]
    for line in (ROOT / "docs" / "benchmarks.jsonl").read_text().splitlines():
        one = json.loads(line)
        numbers = (one[name] for name in ("ours", "peer", "ratio", "goal"))
        rows.append((f"`{one['name']}`", *(_number(value) for value in numbers), one["unit"]))
    return _table(rows)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _section(component: type) -> str:
    args_class = getattr(sys.modules[component.__module__], f"{component.__name__}Args")
    # An argument named like a setting shares the setting's description.
    settings = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    documented = dict(_parameters(args_class))
    for field in dataclasses.fields(args_class):
        if field.name not in documented and _camel(field.name) in settings:
            documented[field.name] = settings[_camel(field.name)]["description"]
    inputs = [("input", "default", "")]
    for field in dataclasses.fields(args_class):
        inputs.append((f"`{field.name}`", _default(field), documented.get(field.name, "")))
    found = [("output", "")]
    found += [(f"`{name}`", text) for name, text in _attribute_docs(component).items()]
    summary = inspect.getdoc(component) or ""
    return f"### {component.__name__}\n\n{summary}\n\n{_table(inputs)}\n\n{_table(found)}"


def _components() -> list[type]:
    """The components, in the order of the pipeline."""
    modules = [
        importlib.import_module(f"components.{one.name}")
        for one in pkgutil.iter_modules(components.__path__)
    ]
    found = [
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, pulumi.ComponentResource)
        and value.__module__ == module.__name__
        and hasattr(module, f"{value.__name__}Args")
    ]
    first = {name: place for place, name in enumerate(_CHAIN)}
    return sorted(found, key=lambda one: (first.get(one.__name__, len(first)), one.__name__))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
        if dataclasses.is_dataclass(value):
            return "`ORDERS`"
        return "none" if value in (None, ()) else _code(value)
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
        return f"`{value.architecture}`, Python {value.python}" if value else "none"
    return "**required**"


def _parameters(args_class: type) -> Iterator[tuple[str, str]]:
    """Each documented parameter; ``a, b:`` share one text."""
    _, _, section = (inspect.getdoc(args_class) or "").partition("Parameters\n----------\n")
    for names, text in re.findall(r"^(\w[\w, ]*):\n((?:    .*\n?|\n)+)", section, re.MULTILINE):
        for name in names.split(","):
            yield name.strip(), " ".join(text.split()).replace("``", "`")


def _attribute_docs(component: type) -> dict[str, str]:
    """The strings below a class's annotated attributes."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(component)))
    (definition,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    found: dict[str, str] = {}
    for node, below in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            text = " ".join(str(below.value.value).split())
            found[node.target.id] = text.replace("``", "`").rstrip(".")
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _code(value: Any) -> str:
    if value in ("", []):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def _rows(make: Callable[[], Sequence[Sequence[str]]]) -> Callable[[], str]:
    return lambda: _table(make())


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "docs/reference.md": {
        "configuration": configuration,
        "outputs": outputs,
        "components": component_sections,
    },
    "docs/benchmarks.md": {"benchmarks": benchmarks},
    "docs/scaling.md": {
        make.__name__.replace("_", "-"): _rows(make)
        for make in (
            scaling.plans,
            scaling.used,
            scaling.outages,
            scaling.hot_keys,
            scaling.large_items,
            scaling.many_tables,
            scaling.simulation,
            scaling.sources,
            scaling.assumptions,
        )
    },
}
"""The generated parts, by document and marker."""


def render(name: str) -> str:
    """A document with all of its generated parts replaced."""
    text = (ROOT / name).read_text()
    for part, make in PARTS[name].items():
        before, begin, rest = text.partition(f"<!-- {part} -->\n")
        _, end, after = rest.partition(f"<!-- /{part} -->")
        if not (begin and end):
            raise SystemExit(f"{name}: there is no part <!-- {part} --> ... <!-- /{part} -->")
        text = f"{before}{begin}\n{make()}\n\n{end}{after}"
    return text


def main() -> int:
    """Write the documents, or with ``--check`` report the stale ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if stale")
    stale = {name: text for name in PARTS if (text := render(name)) != (ROOT / name).read_text()}
    if not parser.parse_args().check:
        for name, text in stale.items():
            (ROOT / name).write_text(text)
    elif stale:
        sys.stderr.write(f"not current: {', '.join(stale)}: run `make reference`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
