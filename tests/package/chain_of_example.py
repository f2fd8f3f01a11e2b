"""Deploy a program into an emulator and carry changes of its table; prints what arrived as JSON.

Run by test_wheel.py in a process whose only copy of this project is the installed wheel:
``python chain_of_example.py PROGRAM DIRECTORY``.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path
from typing import Any

import components
from local.account.deploy import deploy
from local.account.emulator import Emulator
from local.account.gateway import Gateway
from local.athena import Athena
from local.standins.firehose import Firehose, FirehoseDefinition
from local.standins.pipe import Pipe, PipeDefinition


def main(program: Path, directory: Path) -> None:
    with Emulator(directory, region="eu-west-1") as emulator:
        aws = emulator.aws
        gateway = Gateway(aws, Athena(aws), 0)
        gateway.start()
        deployment = deploy(aws, "dev", root=program)
        (firehose,) = deployment.definitions["firehose"]
        (pipe,) = deployment.definitions["pipes"]
        workers = [
            Firehose(aws, FirehoseDefinition.from_api(firehose)),
            Pipe(aws, PipeDefinition.from_api(pipe)),
        ]
        for worker in workers:
            worker.start()
        table = deployment.outputs["tableName"]
        for leg, weight in enumerate(("120.5", "119.875", "not a weight"), 1):
            number = {"S": weight} if weight.startswith("not") else {"N": weight}
            item = {"shipment_no": {"N": "9007199254740993"}, "leg": {"N": str(leg)}}
            aws.client("dynamodb").put_item(TableName=table, Item=item | {"weight_kg": number})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and workers[0].counts.delivered < 2:
            time.sleep(0.2)
        for worker in reversed(workers):
            worker.stop()
        rows = list(rows_of(aws, deployment.outputs["bucketName"]))
        gateway.stop()
    print(json.dumps({"from": components.__file__, "rows": rows}))  # noqa: T201


def rows_of(aws: Any, bucket: str) -> Any:
    s3 = aws.client("s3")
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        for line in gzip.decompress(body).decode().splitlines():
            yield {"key": one["Key"].split("/")[0], "line": line}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
