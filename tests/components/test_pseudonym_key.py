"""The key of pseudonyms: made once, kept secret, read by whoever needs it and nobody else."""

from __future__ import annotations

import re
from dataclasses import replace

from pulumi.runtime import rpc

from components.access import Access, AccessArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from schema import ORDERS, Schema
from tests.components.component_support import Deploy, Deployed, Recorded, arn, once

STREAM = arn("kinesis:{region}:{account}:stream/changes")
KEY = arn("kms:{region}:{account}:key/1234")
SECRET = arn("secretsmanager:{region}:{account}:secret:lake-pseudonym-key-secret-1a2b3c4")
HASHED = replace(
    ORDERS,
    columns=tuple(
        replace(column, privacy="hash") if column.personal else column for column in ORDERS.columns
    ),
)


@once
def lake(deploy: Deploy, schema: Schema = HASHED, **given: object) -> Deployed:
    args = DeliveryToLakeArgs(kinesis_stream_arn=STREAM, schema=schema, **given)  # type: ignore[arg-type]
    return deploy(lambda: DeliveryToLake("lake", args))


def version(deployed: Deployed) -> Recorded:
    return deployed.find("SecretVersion")


def test_the_key_is_random_and_a_secret_of_the_state(deploy: Deploy) -> None:
    one, other = version(lake(deploy)), version(lake(deploy, retention_days=31))
    texts = []
    for made in (one, other):
        assert made.ignore_changes == {"secretString"}, "every run of the program makes another"
        assert rpc.is_rpc_secret(made.inputs["secretString"])
        texts.append(rpc.unwrap_rpc_secret(made.inputs["secretString"]))
        assert re.fullmatch("[0-9a-f]{64}", texts[-1])
    assert texts[0] != texts[1]


def test_the_transform_may_read_the_key_and_is_told_where_it_is(deploy: Deploy) -> None:
    deployed = lake(deploy)
    policy = deployed.find("RolePolicy", "lake-transform-policy")
    assert policy.allows["secretsmanager:GetSecretValue"] == {SECRET}
    assert deployed.find("Function").inputs["environment"] == {
        "variables": {
            "PSEUDONYM_KEY": SECRET,
            "PSEUDONYM_KEY_VERSION": "version-of-lake-pseudonym-key-version-1",
        }
    }
    assert "lake-pseudonym-key-version-1" in deployed.find("Function").depends_on


def test_another_version_is_another_key_for_functions_that_already_run(deploy: Deploy) -> None:
    deployed = lake(deploy, pseudonym_key_version=2)
    assert version(deployed).name == "lake-pseudonym-key-version-2"
    variables = deployed.find("Function").inputs["environment"]["variables"]
    assert variables["PSEUDONYM_KEY_VERSION"] == "version-of-lake-pseudonym-key-version-2"


def test_a_deleted_key_can_be_restored_where_data_is_protected(deploy: Deploy) -> None:
    assert lake(deploy).find("Secret").inputs["recoveryWindowInDays"] == 30
    assert lake(deploy, protect=False).find("Secret").inputs["recoveryWindowInDays"] == 0


def test_without_a_hashed_column_there_is_no_key(deploy: Deploy) -> None:
    deployed = lake(deploy, schema=ORDERS)
    assert not deployed.all("Secret")
    assert not deployed.all("SecretVersion")
    assert "environment" not in deployed.find("Function").inputs
    allowed = deployed.find("RolePolicy", "lake-transform-policy").allows
    assert not [action for action in allowed if action.startswith("secretsmanager:")]


def test_a_kms_key_encrypts_it_for_whoever_reads_it(deploy: Deploy) -> None:
    deployed = lake(deploy, kms_key_arn=KEY)
    assert deployed.find("Secret").inputs["kmsKeyId"] == KEY
    use = deployed.find("RolePolicy", "lake-transform-policy").statements["UseSecretKey"]
    assert use["Action"] == ["kms:Decrypt"]
    assert use["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:SecretARN": SECRET},
    }


def test_operators_read_it_and_readers_do_not(deploy: Deploy) -> None:
    def program() -> None:
        names = ("table", "stream", "pipe", "dlq", "bucket", "database", "workgroup")
        arns = {f"{name}_arn": arn(f"x:{{region}}:{{account}}:{name}") for name in names}
        arns["table_arn"] = arn("dynamodb:{region}:{account}:table/orders")
        arns["database_arn"] = arn("glue:{region}:{account}:database/shop")
        arns["workgroup_arn"] = arn("athena:{region}:{account}:workgroup/shop")
        Access(
            "access",
            AccessArgs(
                **arns,  # type: ignore[arg-type]
                kinesis_stream_arn=STREAM,
                delivery_stream_name="lake",
                transform_function_name="rows",
                pseudonym_key_arn=SECRET,
            ),
        )

    deployed = deploy(program)
    action = "secretsmanager:GetSecretValue"
    assert deployed.find("Policy", "access-operator").allows[action] == {SECRET}
    for name in ("reader", "writer"):
        assert action not in deployed.find("Policy", f"access-{name}").allows
