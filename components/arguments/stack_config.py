"""The running stack's settings."""

from __future__ import annotations

import re

import pulumi
import pulumi_aws as aws

from components.arguments.settings import NAMESPACE, Settings, SettingsError, setting_keys

_NAME_LIMIT = 64
"""AWS's limit, in characters, for the name of a role, a function, a rule or a pipe."""
_APPENDED = "-1a2b3c4"
"""The length of the suffix with which Pulumi makes a name unique."""


def load_settings() -> Settings:
    """The running stack's settings.

    Raises
    ------
    pulumi.RunError
        With every problem; Pulumi shows its text without a traceback.
    """
    # pulumi.Config cannot list keys. The CLI puts the whole configuration into the environment,
    # which shows misspelt keys too.
    start = f"{NAMESPACE}:"
    given = pulumi.runtime.get_config_env().items()
    raw = {key.removeprefix(start): value for key, value in given if key.startswith(start)}
    config = pulumi.Config(NAMESPACE)
    raw |= {key: value for key in setting_keys() if (value := config.get(key)) is not None}
    try:
        settings = Settings.load(raw)
        _require_name_that_fits(pulumi.get_stack(), settings)
        if settings.kms_key_arn:
            _require_key_in_region(settings.kms_key_arn, aws.get_region().region)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    return settings


def _require_name_that_fits(stack: str, settings: Settings) -> None:
    """All resource names contain the stack's name; a test checks this limit against all of them."""
    if not re.fullmatch("[A-Za-z0-9-]+", stack):
        raise SettingsError(
            [f"the stack's name: must be letters, digits and -, as a bucket's is, not {stack!r}"]
        )
    longest = (
        "monitoring-crawler-failed" if settings.monitoring != "off" else "lake-transform-function"
    )
    name = f"sales-cdc-{stack}-{longest}{_APPENDED}"
    most = _NAME_LIMIT - len(name) + len(stack)
    if len(stack) > most:
        raise SettingsError(
            [
                f"the stack's name: must have {most} characters or fewer, not {len(stack)} "
                f"({stack!r}): {name} would have {len(name)}, and AWS takes {_NAME_LIMIT}. "
                "Give it another one: pulumi stack rename NAME"
            ]
        )


def _require_key_in_region(key: str, region: str) -> None:
    """No service accepts a key of another region, and their error messages differ."""
    if key.split(":")[3] != region:
        raise SettingsError(
            [f"kmsKeyArn: must be a key in {region}, the stack's region, not {key!r}"]
        )
