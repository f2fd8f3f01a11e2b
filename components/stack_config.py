"""Where configuration values come from: Pulumi's own configuration, or a stack file."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import yaml

from components.settings import NAMESPACE, setting_keys


def read_config() -> dict[str, str]:
    """The running stack's values for `Settings.load`, misspelt keys among them."""
    config = pulumi.Config(NAMESPACE)
    given = {_own_key(key): value for key, value in pulumi.runtime.get_config_env().items()}
    known = {key: value for key in setting_keys() if (value := config.get(key)) is not None}
    return {key: value for key, value in given.items() if key} | known


def read_stack_file(path: Path) -> dict[str, str]:
    """The values in a ``Pulumi.<stack>.yaml``, as texts, the way the Pulumi CLI hands them over."""
    values = (yaml.safe_load(path.read_text()) or {}).get("config") or {}
    texts = {
        _own_key(key): value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
    return {key: value for key, value in texts.items() if key}


def _own_key(key: str) -> str:
    """The key without our namespace; "" for a key of another one."""
    namespace, _, name = key.partition(":")
    return name if namespace == NAMESPACE else ""
