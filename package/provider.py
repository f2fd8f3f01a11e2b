"""The components as a Pulumi package for programs in any Pulumi language.

Pulumi's SDK derives a package's schema from classes. It does not support `Annotated`, `Literal` or
dataclasses, and expects descriptions after each attribute. For each component, this module
generates a twin class that the SDK can read from the component's arguments and docstrings.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import pulumi
from pulumi.provider.experimental import analyzer, component, component_provider_host

from components.access import Access
from components.archives import functions
from components.archives.lambda_zip import Platform
from components.arguments import checks
from components.batch_projection import BatchProjection
from components.catalog import Catalog
from components.cdc_source import CdcSource
from components.change_data_capture import ChangeDataCapture
from components.change_stream import ChangeStream
from components.delivery_to_lake import DeliveryToLake
from components.log_packing import LogPacking
from components.monitoring import Monitoring
from components.stream_bridge import StreamBridge

NAME = "sales-cdc"
VERSION = "0.1.0"
COMPONENTS: tuple[type[pulumi.ComponentResource], ...] = (
    Access,
    BatchProjection,
    Catalog,
    CdcSource,
    ChangeDataCapture,
    ChangeStream,
    DeliveryToLake,
    LogPacking,
    Monitoring,
    StreamBridge,
)
"""Components for any table. Those for orders (generator, dashboard) are not in the package."""

_PLATFORMS = {"aws": lambda: functions.AWS, "host": Platform.host}
_PAIRS = {"columns": ("name", "type")}
"""Fields that are pairs in Python, and the names of both parts in the package."""
_SAID = {
    "Schema": {
        "key": "The partition key's column.",
        "columns": "The table's columns.",
        "sort_key": "The sort key's column.",
    },
    "View": {
        "name": "The view's name.",
        "sql": "Its SELECT statement in Athena SQL.",
        "columns": "The view's columns.",
    },
    "SavedQuery": {
        "name": "The query's name.",
        "description": "The query's description.",
        "sql": "The query in Athena SQL.",
    },
}
"""Descriptions of fields whose docstrings have none of their own."""
_NUMPY_ENTRY = re.compile(r"^(\w+(?:, \w+)*):\n((?:    .*\n|\n)+)", re.M)


class Package:
    """The components' twins, and the conversion of their inputs to components' arguments."""

    def __init__(self) -> None:
        self._types: dict[str, type] = {}
        self._outputs = {k: text for one in COMPONENTS for k, text in _attribute_docs(one).items()}
        self.components = [self._twin(one) for one in COMPONENTS]

    def _twin(self, original: type[pulumi.ComponentResource]) -> type[pulumi.ComponentResource]:
        args = _args_of(original)

        def make(_: type, name: str, given: Mapping[str, Any], options: Any = None) -> Any:
            return original(name, self.read(args, given), options)

        def describe(self: Any, name: str, args: Any, opts: Any = None) -> None: ...

        describe.__annotations__ = {"args": self._type(args)}
        outputs = {
            name: hint
            for name, hint in inspect.get_annotations(original).items()
            if any(get_origin(one) is pulumi.Output for one in (hint, *get_args(hint)))
        }
        return type(
            original.__name__,
            (pulumi.ComponentResource,),
            {
                "__doc__": inspect.getdoc(original),
                "__annotations__": outputs,
                "__init__": describe,
                "__new__": make,
                "descriptions": _attribute_docs(original),
            },
        )

    def _type(self, kind: type) -> type:
        """A plain class with the fields of a dataclass that other languages can represent."""
        if kind.__name__ not in self._types:
            # The docstring of the other component describes these.
            text = self._outputs | _numpy_docs(kind) | _attribute_docs(kind)
            text |= _SAID.get(kind.__name__, {})
            annotations, descriptions = {}, {}
            for one in _fields(kind):
                annotations[one.name] = self._hint(one.type, one.name, one.optional)
                told = (text.get(one.name), *_limits(one.type), _default(one))
                descriptions[one.name] = " ".join(filter(None, told))
            self._types[kind.__name__] = type(
                kind.__name__,
                (),
                {
                    "__doc__": (inspect.getdoc(kind) or "").split("\n\n")[0],
                    "__annotations__": annotations,
                    "descriptions": descriptions,
                },
            )
        return self._types[kind.__name__]

    def _hint(self, hint: Any, name: str, optional: bool) -> Any:
        hint = _bare(hint)
        inner = _item(hint)
        result: Any = hint
        if hint is Platform:
            result = self._choice("platform", tuple(_PLATFORMS))
        elif get_origin(hint) is Literal:
            result = self._choice(name, get_args(hint))
        elif name in _PAIRS and get_origin(inner) is tuple:
            result = list[self._pair(name)]  # type: ignore[misc]
        elif inner is not None:
            result = list[self._hint(inner, name, False)]  # type: ignore[misc]
        elif dataclasses.is_dataclass(hint):
            result = self._type(hint)  # type: ignore[arg-type]
        return result | None if optional else result

    def _choice(self, name: str, values: tuple[str, ...]) -> type[Enum]:
        title = "".join(part.capitalize() for part in name.split("_"))
        members = {re.sub(r"\W", "_", value).upper(): value for value in values}
        choice = Enum(title, members, module=__name__)  # type: ignore[misc]
        known = self._types.setdefault(title, choice)
        assert issubclass(known, Enum) and [one.value for one in known] == list(values), title
        return known

    def _pair(self, name: str) -> type:
        title = f"View{name.removesuffix('s').capitalize()}"
        descriptions = {"name": "The column's name.", "type": "Its Hive type."}
        body = {"__doc__": "A column of a view.", "descriptions": descriptions}
        return self._types.setdefault(
            title, type(title, (), {**body, "__annotations__": dict.fromkeys(_PAIRS[name], str)})
        )

    def read(self, kind: type, given: Mapping[str, Any]) -> Any:
        """A dataclass from the inputs of a program in another language."""
        values = {
            one.name: self._value(one.type, one.name, given[one.name])
            for one in _fields(kind)
            if given.get(one.name) is not None
        }
        return kind(**values)

    def _value(self, hint: Any, name: str, value: Any) -> Any:
        hint = _bare(hint)
        inner = _item(hint)
        if isinstance(value, Enum):
            value = value.value
        if hint is Platform:
            return _PLATFORMS[value]()
        if dataclasses.is_dataclass(hint):
            return self.read(hint, value)  # type: ignore[arg-type]
        if name in _PAIRS and get_origin(inner) is tuple:
            return tuple(tuple(one[key] for key in _PAIRS[name]) for one in value)
        if inner is not None and isinstance(value, Sequence):
            return tuple(self._value(inner, name, one) for one in value)
        if hint is int and isinstance(value, float):  # numbers arrive as floats
            return int(value)
        return value


def host() -> None:
    """Serve the package to Pulumi's engine."""
    use_descriptions()
    component_provider_host(Package().components, NAME, version=VERSION)


def use_descriptions() -> None:
    """Make the SDK take descriptions from the twins; it has no option for that."""
    component.Analyzer = _Analyzer  # type: ignore[attr-defined]


class _Field(NamedTuple):
    name: str
    type: Any
    default: Any
    optional: bool


class _Analyzer(analyzer.Analyzer):
    """Takes descriptions from the twins, because they have no source for the SDK to read."""

    def get_docstring(self, typ: type, name: str) -> str | None:
        descriptions: dict[str, str] = getattr(typ, "descriptions", {})
        return descriptions.get(name) or None


def _args_of(kind: type[pulumi.ComponentResource]) -> type:
    hint: type = _bare(inspect.get_annotations(kind.__init__)["args"])
    return hint


def _fields(kind: type) -> list[_Field]:
    """The fields without callables."""
    hints = inspect.get_annotations(kind, eval_str=True)
    return [
        _Field(one.name, hints[one.name], one.default, _has_default(one))
        for one in dataclasses.fields(kind)
        if one.init and "Callable" not in str(hints[one.name])
    ]


def _bare(hint: Any) -> Any:
    """The type without its limits and without None; an Input stays one."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        others = [one for one in get_args(hint) if one is not type(None)]
        if len(others) == 1:
            return _bare(others[0])
    return hint


def _item(hint: Any) -> Any:
    """The type of a list's items, or None."""
    origin = get_origin(hint)
    if origin in (list, tuple, Sequence):
        return get_args(hint)[0]
    return None


def _has_default(one: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return one.default is not missing or one.default_factory is not missing


def _default(one: _Field) -> str:
    value = one.default
    if not one.optional or not isinstance(value, str | int | float) or value == "":
        return ""
    return f"Default: {json.dumps(value)}."


def _limits(hint: Any) -> list[str]:
    """A description of the allowed values."""
    told = []
    for limit in checks.limits(hint):
        if isinstance(limit, checks.Range):
            others = "".join(f", or {other}" for other in limit.others)
            told.append(f"From {limit.minimum:,} to {limit.maximum:,}{others}.")
        elif isinstance(limit, checks.OneOf):
            told.append(f"One of {', '.join(map(str, limit.values))}.")
    return told


def _numpy_docs(kind: type) -> dict[str, str]:
    """Each parameter's text in the "Parameters" section of a class's docstring."""
    text = (inspect.getdoc(kind) or "") + "\n"
    return {
        name: " ".join(body.split())
        for names, body in _NUMPY_ENTRY.findall(text)
        for name in names.split(", ")
    }


def _attribute_docs(kind: type) -> dict[str, str]:
    """The docstrings of a class's attributes."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    return {
        ast.unparse(node.target): str(after.value.value)
        for node, after in itertools.pairwise(tree.body)
        if isinstance(node, ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
