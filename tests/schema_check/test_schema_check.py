"""The check of inputs against the provider's types and AWS's models can fail.

That every input of every configuration passes it is asserted wherever a component is deployed: see
`check` in tests/components/component_support.py.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.schema_check import problems, pulumi_types

ROLE = "arn:aws:iam::123456789012:role/pipe"
STREAM = "arn:aws:kinesis:eu-west-1:123456789012:stream/changes"
TABLE_STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/o/stream/2026-11-21T00:00:00.000"
RIGHT: dict[str, dict[str, Any]] = {
    "aws:dynamodb/table:Table": {
        "hashKey": "id",
        "attributes": [{"name": "id", "type": "S"}],
        "billingMode": "PAY_PER_REQUEST",
        "streamEnabled": True,
        "streamViewType": "NEW_IMAGE",
    },
    "aws:pipes/pipe:Pipe": {
        "roleArn": ROLE,
        "source": TABLE_STREAM,
        "target": STREAM,
        "sourceParameters": {
            "dynamodbStreamParameters": {"startingPosition": "LATEST", "batchSize": 100.0}
        },
        "targetParameters": {"kinesisStreamParameters": {"partitionKey": "$.eventID"}},
    },
    "aws:cloudwatch/logGroup:LogGroup": {"name": "logs", "retentionInDays": 14},
    "aws:sqs/queue:Queue": {"messageRetentionSeconds": 60.0},
    "aws:glue/crawler:Crawler": {
        "role": ROLE,
        "databaseName": "orders",
        "s3Targets": [{"path": "s3://lake/"}],
    },
    "aws:glue/catalogTable:CatalogTable": {
        "databaseName": "orders",
        "name": "rows",
        "parameters": {"classification": "json"},
    },
    "aws:iam/role:Role": {"assumeRolePolicy": '{"Statement": []}'},
}


@pytest.mark.parametrize("token", RIGHT)
def test_right_inputs_have_no_problem(token: str) -> None:
    assert problems(token, "one", RIGHT[token]) == []


@pytest.mark.parametrize(
    ("token", "path", "value", "told"),
    [
        # What the provider's types know.
        ("aws:dynamodb/table:Table", "haskKey", "id", "haskKey: TableArgs has no such input"),
        ("aws:dynamodb/table:Table", "attributes", {"name": "id"}, "attributes: expected a list"),
        ("aws:dynamodb/table:Table", "attributes.0.typ", "S", "attributes[0].typ"),
        ("aws:dynamodb/table:Table", "attributes.0.type", None, "TableAttributeArgs requires it"),
        ("aws:dynamodb/table:Table", "streamEnabled", "yes", "streamEnabled: expected bool"),
        ("aws:sqs/queue:Queue", "messageRetentionSeconds", 60.5, "expected a whole number"),
        ("aws:sqs/queue:Queue", "messageRetentionSeconds", True, "expected int"),
        ("aws:glue/catalogTable:CatalogTable", "parameters.EXTERNAL", 1, "expected str"),
        ("aws:pipes/pipe:Pipe", "target", None, "target: PipeArgs requires it"),
        ("aws:pipes/pipe:Pipe", "sourceParameters", "x", "expected an object"),
        # What AWS's models know.
        ("aws:dynamodb/table:Table", "streamViewType", "IMAGES", "'IMAGES' is none of NEW_IMAGE"),
        ("aws:dynamodb/table:Table", "attributes.0.type", "X", "'X' is none of S, N, B"),
        ("aws:dynamodb/table:Table", "hashKey", "k" * 256, "256 characters is not from 1 to 255"),
        (
            "aws:pipes/pipe:Pipe",
            "sourceParameters.dynamodbStreamParameters.batchSize",
            10_001.0,
            "BatchSize: 10001 is not from 1 to 10000",
        ),
        ("aws:pipes/pipe:Pipe", "source", "the table", "'the table' is not of the form"),
        ("aws:pipes/pipe:Pipe", "name", "a pipe", "'a pipe' is not of the form"),
        ("aws:pipes/pipe:Pipe", "name", "p" * 65, "65 characters is not from 1 to 64"),
        ("aws:cloudwatch/logGroup:LogGroup", "name", "", None),
        ("aws:glue/crawler:Crawler", "databaseName", None, "CrawlerArgs requires it"),
        ("aws:iam/role:Role", "name", "r" * 65, "65 characters is not from 1 to 64"),
        ("aws:iam/role:Role", "name", "a/b", "'a/b' is not of the form"),
    ],
)
def test_a_wrong_input_is_reported_with_its_path(
    token: str, path: str, value: Any, told: str | None
) -> None:
    inputs = copy.deepcopy(RIGHT[token])
    *way, last = path.split(".")
    place: Any = inputs
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    found = "; ".join(problems(token, "one", inputs))
    assert (told in found) if told else not found  # an empty name is made up, as none at all


def test_a_physical_name_that_would_be_too_long_is_reported() -> None:
    (problem,) = problems("aws:iam/role:Role", "r" * 60, RIGHT["aws:iam/role:Role"])
    assert "RoleName: 68 characters is not from 1 to 64" in problem


def test_a_type_that_the_provider_does_not_have_is_reported() -> None:
    assert problems("aws:sqs/queue:Queu", "one", {}) == ["pulumi-aws has no aws:sqs/queue:Queu"]


def test_types_whose_arguments_have_another_name_are_found() -> None:
    # `BucketVersioningArgs` is a part of the bucket.
    token = "aws:s3/bucketVersioning:BucketVersioning"
    assert pulumi_types.inputs(token) >= {"bucket", "versioningConfiguration"}
