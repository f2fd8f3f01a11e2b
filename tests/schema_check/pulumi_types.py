"""Checks inputs against pulumi-aws's resource types: names, types, required inputs.

Pulumi itself checks none of it: a misspelt key of a nested dict, or a missing one, fails only once
the provider is asked to create the resource.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin

import pulumi
from pulumi import _types

_SIMPLE: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int, float),  # a number is a float on its way to the engine
    float: (int, float),
}


@cache
def resource(token: str) -> type:
    """The class of a resource type such as ``aws:sqs/queue:Queue``."""
    package, module, name = token.split(":")
    service = module.split("/")[0]
    if package != "aws":
        raise LookupError(f"{token} is no type of pulumi-aws")
    found: type
    for spelling in (service, f"{service}_"):  # `lambda` is a keyword
        try:
            found = getattr(importlib.import_module(f"pulumi_aws.{spelling}"), name)
        except (ImportError, AttributeError):
            continue
        return found
    raise LookupError(f"pulumi-aws has no {token}")


@cache
def arguments(token: str) -> type:
    """The class that holds the arguments of a resource type."""
    cls = resource(token)
    module = sys.modules[cls.__module__]
    # `InitArgs` where a part of another resource has the name already.
    found: type = getattr(module, f"{cls.__name__}InitArgs", None) or getattr(
        module, f"{cls.__name__}Args"
    )
    return found


def inputs(token: str) -> set[str]:
    """The names of all inputs, in camel case."""
    return set(_types.input_type_types(arguments(token)))


def descriptions(token: str) -> dict[str, str]:
    """The provider's documentation of each input."""
    cls = arguments(token)
    names = _types.input_type_py_to_pulumi_names(cls)
    return {wire: inspect.getdoc(getattr(cls, python)) or "" for python, wire in names.items()}


def problems(token: str, given: Mapping[str, Any]) -> list[str]:
    """Problems with a resource's inputs, each with its path."""
    try:
        cls = arguments(token)
    except LookupError as error:
        return [str(error)]
    return list(_object(cls, given, ""))


def _object(cls: type, given: Any, path: str) -> Iterator[str]:
    if not isinstance(given, Mapping):
        yield f"{path or 'inputs'}: expected an object, not {given!r}"
        return
    types = _types.input_type_types(cls)
    for key, value in given.items():
        where = f"{path}.{key}" if path else key
        if key not in types:
            yield f"{where}: {cls.__name__} has no such input"
        elif value is not None:
            yield from _value(types[key], value, where)
    for key in _required(cls):
        if given.get(key) is None:
            yield f"{path}.{key}".lstrip(".") + f": {cls.__name__} requires it"


@cache
def _required(cls: type) -> list[str]:
    names = _types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    return [wire for python, wire in names.items() if parameters[python].default is inspect._empty]


def _value(kind: Any, value: Any, path: str) -> Iterator[str]:
    kind = _unwrapped(kind)
    origin = get_origin(kind)
    if kind in _SIMPLE:
        expected = _SIMPLE[kind]
        whole = kind is not int or isinstance(value, bool) or float(value).is_integer()
        if not isinstance(value, expected) or (isinstance(value, bool) and kind is not bool):
            yield f"{path}: expected {kind.__name__}, not {value!r}"
        elif not whole:
            yield f"{path}: expected a whole number, not {value!r}"
    elif inspect.isclass(kind) and _types.is_input_type(kind):
        yield from _object(kind, value, path)
    elif inspect.isclass(origin) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            yield f"{path}: expected a map, not {value!r}"
            return
        for key, one in value.items():
            yield from _value(get_args(kind)[1], one, f"{path}[{key!r}]")
    elif origin is not None and not isinstance(value, list):
        yield f"{path}: expected a list, not {value!r}"
    elif origin is not None:
        for index, one in enumerate(value):
            yield from _value(get_args(kind)[0], one, f"{path}[{index}]")
    elif kind in (pulumi.Asset, pulumi.Archive) and not isinstance(value, kind):
        yield f"{path}: expected {kind.__name__}, not {value!r}"


@cache
def _unwrapped(kind: Any) -> Any:
    """The type itself, out of ``Input[Optional[...]]``; of several, text is the simplest."""
    while get_origin(kind) is Union:
        plain = [
            one
            for one in get_args(kind)
            if one is not type(None)
            and get_origin(one) is not pulumi.Output
            and "Awaitable" not in str(get_origin(one))
            and not hasattr(one, "__forward_arg__")
        ]
        kind = str if str in plain else plain[0]
    return kind
