"""An emulated account with a lake, and the local Athena over it."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.account.aws import Aws, Credentials
from local.account.gateway import Gateway
from local.athena import Athena

ACCOUNT = "123456789012"
REGION = "us-east-1"
BUCKET = "lake"
DATABASE = "shop"
OPENX = "org.openx.data.jsonserde.JsonSerDe"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@dataclass
class Answer:
    """A finished query."""

    id: str
    state: str
    reason: str
    execution: dict[str, Any]
    header: list[str]
    rows: list[list[str | None]]
    types: list[str]

    @property
    def scanned(self) -> int:
        return int(self.execution["Statistics"]["DataScannedInBytes"])


class Lab:
    """An emulated account with a lake, and Athena over it."""

    def __init__(self, aws: Aws, gateway: Gateway) -> None:
        self.gateway = gateway
        self.aws = aws
        self.s3 = aws.client("s3")
        self.glue = aws.client("glue", direct=True)
        self.iam = aws.client("iam")
        self.athena = aws.client("athena")

    def put(
        self, key: str, rows: Sequence[Mapping[str, Any] | str], *, zipped: bool = False
    ) -> int:
        lines = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows).encode()
        body = gzip.compress(lines, mtime=0) if zipped else lines
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return len(body)

    def table(
        self,
        name: str,
        columns: Mapping[str, str],
        *,
        location: str | None = None,
        keys: Mapping[str, str] | None = None,
        serde: str = OPENX,
        properties: Mapping[str, str] | None = None,
        serde_properties: Mapping[str, str] | None = None,
    ) -> None:
        def listed(types: Mapping[str, str]) -> list[dict[str, str]]:
            return [{"Name": column, "Type": kind} for column, kind in types.items()]

        self.glue.create_table(
            DatabaseName=DATABASE,
            TableInput={
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"EXTERNAL": "TRUE", **(properties or {})},
                "PartitionKeys": listed(keys or {}),
                "StorageDescriptor": {
                    "Columns": listed(columns),
                    "Location": location or f"s3://{BUCKET}/{name}/",
                    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    "SerdeInfo": {
                        "SerializationLibrary": serde,
                        "Parameters": dict(serde_properties or {}),
                    },
                },
            },
        )

    def ask(
        self, sql: str, caller: Credentials | None = None, *, database: str = DATABASE, **more: Any
    ) -> Answer:
        athena = self.aws.client("athena", caller) if caller else self.athena
        query_id = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": database},
            WorkGroup=more.pop("workgroup", "team"),
            **more,
        )["QueryExecutionId"]
        return self.wait(query_id)

    def wait(self, query_id: str) -> Answer:
        for _ in range(3000):
            execution = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            status = execution["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.01)
        rows: list[list[str | None]] = []
        types: list[str] = []
        if status["State"] == "SUCCEEDED":
            for page in self.athena.get_paginator("get_query_results").paginate(
                QueryExecutionId=query_id
            ):
                found = page["ResultSet"]
                rows += [[d.get("VarCharValue") for d in row["Data"]] for row in found["Rows"]]
                types = [c["Type"] for c in found["ResultSetMetadata"]["ColumnInfo"]]
        is_select = execution["ResultConfiguration"]["OutputLocation"].endswith(".csv")
        header = [str(name) for name in rows.pop(0)] if is_select and rows else []
        return Answer(
            query_id,
            status["State"],
            status.get("StateChangeReason", ""),
            execution,
            header,
            rows,
            types,
        )

    def rows(self, sql: str, **more: Any) -> list[list[str | None]]:
        answer = self.ask(sql, **more)
        assert answer.state == "SUCCEEDED", f"{sql}\n{answer.reason}"
        return answer.rows

    def value(self, expression: str) -> str | None:
        return self.rows(f"SELECT {expression}")[0][0]

    def user(self, name: str, *statements: Mapping[str, Any]) -> Credentials:
        """A user who may do what ``statements`` allow."""
        arn = self.iam.create_user(UserName=name)["User"]["Arn"]
        if statements:
            self.iam.put_user_policy(
                UserName=name,
                PolicyName="own",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
            )
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return self.aws.book.add(Credentials(key["AccessKeyId"], key["SecretAccessKey"], arn))


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running_lab(directory: Path) -> Iterator[Lab]:
    """An account with a bucket, a database and a workgroup."""
    port = free_port()
    log = (directory / "emulator.log").open("wb")
    root = Credentials("AKIAROOTROOTROOTROOT", "root-secret", f"arn:aws:iam::{ACCOUNT}:root")
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "ministack")],
        stdout=log,
        stderr=log,
        env={
            **os.environ,
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_ACCESS_KEY_ID": root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
            "ATHENA_ENGINE": "mock",
        },
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}/_ministack/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        aws = Aws(emulator_url=url, region=REGION, account_id=ACCOUNT, root=root)
        gateway = Gateway(aws, Athena(aws))
        gateway.start()
        try:
            lab = Lab(aws, gateway)
            lab.s3.create_bucket(Bucket=BUCKET)
            lab.glue.create_database(DatabaseInput={"Name": DATABASE})
            lab.athena.create_work_group(
                Name="team",
                Configuration={
                    "EnforceWorkGroupConfiguration": True,
                    "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"},
                },
            )
            yield lab
        finally:
            gateway.stop()
    finally:
        process.terminate()
        process.wait(10)
        log.close()
