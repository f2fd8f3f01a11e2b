"""The Lambda functions' handlers, which are files of source roots, not of packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import boto3
import pytest

FUNCTIONS = Path(__file__).resolve().parents[1] / "lambda"


def load(function: str) -> ModuleType:
    """A new module of ``lambda/FUNCTION/handler.py``; it reads its environment now.

    boto3's default session, which the handlers use, keeps the credentials that it began with: the
    module gets one of its own, and leaves none behind for other tests.
    """
    source = FUNCTIONS / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        spec.loader.exec_module(module)
    return module
