"""A common way to write the transform: Powertools' event, boto3's TypeDeserializer, json."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes import (
    KinesisFirehoseDataTransformationResponse,
    KinesisFirehoseEvent,
)
from boto3.dynamodb.types import TypeDeserializer

_DESERIALIZER = TypeDeserializer()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Transform a batch to the same columns as ours, without validation."""
    answer = KinesisFirehoseDataTransformationResponse()
    for record in KinesisFirehoseEvent(event).records:
        change = record.data_as_json
        stream = change["dynamodb"]
        image = stream.get("OldImage" if change["eventName"] == "REMOVE" else "NewImage", {})
        row = {name: _DESERIALIZER.deserialize(value) for name, value in image.items()}
        created = datetime.fromtimestamp(stream["ApproximateCreationDateTime"], UTC)
        row["event_type"] = change["eventName"]
        row["creation_time"] = created.strftime("%Y-%m-%d %H:%M:%S.000")
        row["event_id"] = change["eventID"]
        row["sequence_number"] = stream["SequenceNumber"].zfill(40)
        line = json.dumps(row, default=str) + "\n"
        answer.add_record(
            record.build_data_transformation_response(
                result="Ok", data=base64.b64encode(line.encode()).decode()
            )
        )
    answered: dict[str, Any] = answer.asdict()
    return answered
