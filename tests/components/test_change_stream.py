"""ChangeStream: the Kinesis stream between pipe and Firehose."""

from __future__ import annotations

from typing import Any

import pytest

from components.arguments.checks import ArgumentError
from components.change_stream import ChangeStream, ChangeStreamArgs
from tests.components.component_support import Deploy, Deployed, arn


def stream(deploy: Deploy, **given: Any) -> Deployed:
    return deploy(lambda: ChangeStream("changes", ChangeStreamArgs(**given)))


def test_the_stream_grows_by_itself_and_is_encrypted(deploy: Deploy) -> None:
    assert stream(deploy).find("Stream", "changes-stream").inputs == {
        "streamModeDetails": {"streamMode": "ON_DEMAND"},
        "retentionPeriod": 24,
        "encryptionType": "KMS",
        "kmsKeyId": "alias/aws/kinesis",
    }


def test_shards_count_when_provisioned_only(deploy: Deploy) -> None:
    provisioned = stream(deploy, stream_mode="provisioned", shards=3).find("Stream").inputs
    assert provisioned["shardCount"] == 3
    assert provisioned["streamModeDetails"] == {"streamMode": "PROVISIONED"}
    assert "shardCount" not in stream(deploy, shards=3).find("Stream").inputs


def test_key_and_retention_reach_the_stream(deploy: Deploy) -> None:
    key = arn("kms:{region}:{account}:key/0000")
    inputs = stream(deploy, kms_key_arn=key, stream_retention_hours=48).find("Stream").inputs
    assert (inputs["kmsKeyId"], inputs["retentionPeriod"]) == (key, 48)


def test_every_wrong_argument_is_named_at_once() -> None:
    wrong: dict[str, Any] = {
        "stream_mode": "provisoned",
        "shards": 0,
        "stream_retention_hours": 23,
        "kms_key_arn": "alias/mine",
    }
    with pytest.raises(ArgumentError) as raised:
        ChangeStreamArgs(**wrong)
    for name in wrong:
        assert name in str(raised.value)
