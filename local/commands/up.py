"""A long-running local stack, and the environment that other shells need to use it."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from client import stack_outputs
from local.account.aws import Credentials
from local.account.deploy import ROOT
from local.chain import LocalChain
from local.errors import LocalError

HOME_VARIABLE = "SALES_CDC_LOCAL_HOME"
"""Environment variable for the folder of the running stack's files; default: ``.local``."""


def home() -> Path:
    """The folder of the running stack's files."""
    return Path(os.environ.get(HOME_VARIABLE) or ROOT / ".local")


class Running:
    """The record of a running stack, for other shells."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "up.json"
        self.outputs_file = directory / "outputs.json"

    def claim(self) -> None:
        """Raise if another stack runs in the same folder."""
        known = self._read()
        if known:
            raise LocalError(
                f"a local stack runs already (PID {known['pid']}): stop it with Ctrl-C in its "
                f"shell, or set {HOME_VARIABLE} to another folder"
            )

    def write(self, outputs: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        """Write the record for other shells, readable by this user only: it holds a secret key."""
        self.outputs_file.write_text(json.dumps(dict(outputs), indent=2) + "\n")
        self._file.touch(mode=0o600)
        self._file.write_text(json.dumps({"pid": os.getpid(), "environment": dict(environment)}))

    def forget(self) -> None:
        """Delete the record: the stack has stopped."""
        self._file.unlink(missing_ok=True)
        self.outputs_file.unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """The environment of the running stack.

        Raises
        ------
        LocalError
            If no stack is running.
        """
        known = self._read()
        if not known:
            raise LocalError("no local stack runs: start one with `python -m local up`")
        return dict(known["environment"])

    def _read(self) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = json.loads(self._file.read_text())
            os.kill(known["pid"], 0)
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return known


def environment(stack: LocalChain, who: Credentials, outputs_file: Path) -> dict[str, str]:
    """Environment variables that point any AWS client at this stack."""
    gateway = stack.aws.gateway_url or ""
    return {
        "AWS_ENDPOINT_URL": stack.aws.emulator_url,
        "AWS_ENDPOINT_URL_ATHENA": gateway,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": gateway,
        "AWS_ENDPOINT_URL_GLUE": gateway,
        "AWS_ENDPOINT_URL_PIPES": gateway,
        "AWS_ACCESS_KEY_ID": who.access_key_id,
        "AWS_SECRET_ACCESS_KEY": who.secret_access_key,
        "AWS_REGION": stack.aws.region,
        "AWS_DEFAULT_REGION": stack.aws.region,
        stack_outputs.ENVIRONMENT_VARIABLE: str(outputs_file),
    }


def exports(environment: Mapping[str, str]) -> str:
    """The environment as shell commands; unsets a profile or session that would override it."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join(["unset AWS_PROFILE AWS_SESSION_TOKEN", *lines])


def engineer(stack: LocalChain) -> Credentials:
    """The local user: has the writer, reader and operator policies and may inspect every hop.

    The inline policy lists what an engineer in a dev account may do beyond those policies. It names
    what was deployed, whatever outputs the program has.
    """
    region, account = stack.aws.region, stack.aws.account_id
    pipes, firehoses, crawlers, jobs = (
        stack.deployment.definitions.get(kind, [])
        for kind in ("pipes", "firehose", "crawlers", "jobs")
    )

    def glue(*resources: str) -> list[str]:
        return [f"arn:aws:glue:{region}:{account}:{resource}" for resource in resources]

    sources = [pipe["SourceParameters"]["DynamoDBStreamParameters"] for pipe in pipes]
    buckets = {one["ExtendedS3DestinationConfiguration"]["BucketARN"] for one in firehoses}
    databases = {crawler["DatabaseName"] for crawler in crawlers}
    catalog = [arn for name in databases for arn in glue(f"database/{name}", f"table/{name}/*")]
    allowed: list[tuple[list[str], list[str]]] = [
        (
            ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
            [pipe["Source"].partition("/stream/")[0] for pipe in pipes],
        ),
        (["dynamodb:ListTables"], ["*"]),
        (
            ["kinesis:DescribeStreamSummary", "kinesis:PutRecord", "kinesis:PutRecords"],
            [pipe["Target"] for pipe in pipes],
        ),
        (["s3:ListBucket"], [*buckets]),
        (["s3:GetObject"], [f"{bucket}/*" for bucket in buckets]),
        (
            ["glue:StartCrawler", "glue:StopCrawler", "glue:GetCrawler"],
            glue(*(f"crawler/{crawler['Name']}" for crawler in crawlers)),
        ),
        (["glue:GetCrawlers"], ["*"]),
        (
            ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
            glue(*(f"job/{job['Name']}" for job in jobs)),
        ),
        # For CREATE VIEW, DROP VIEW and CREATE TABLE AS.
        (
            ["glue:CreateTable", "glue:DeleteTable", "glue:UpdateTable"],
            [*glue("catalog"), *catalog],
        ),
        (
            ["s3:PutObject", "s3:DeleteObject"],
            [f"{bucket}/athena-results/*" for bucket in buckets],
        ),
        *_dbt(region, account, sorted(databases), sorted(buckets)),
        (
            ["sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            [source["DeadLetterConfig"]["Arn"] for source in sources],
        ),
        (["logs:DescribeLogGroups", "logs:FilterLogEvents", "logs:GetLogEvents"], ["*"]),
        (["sts:GetCallerIdentity"], ["*"]),
    ]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resources}
            for actions, resources in allowed
            if resources
        ],
    }
    found = stack.aws.client("iam").list_policies(Scope="Local")["Policies"]
    policies = [policy["Arn"] for policy in found]
    return stack.user("engineer", *policies, inline=policy)


def _dbt(
    region: str, account: str, databases: list[str], buckets: list[str]
) -> list[tuple[list[str], list[str]]]:
    """What `make dbt` needs beyond the reader policy; docs/dbt.md says why."""
    glue = f"arn:aws:glue:{region}:{account}"
    marts = [f"{name}_marts" for name in databases]
    tables = [one for m in marts for one in (f"{glue}:database/{m}", f"{glue}:table/{m}/*")]
    return [
        (
            [
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetWorkGroup",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            [f"arn:aws:athena:{region}:{account}:workgroup/primary"],
        ),
        (["glue:GetDatabases"], [f"{glue}:catalog"]),
        (
            [
                "glue:BatchCreatePartition",
                "glue:CreateDatabase",
                "glue:CreatePartition",
                "glue:CreateTable",
                "glue:DeletePartition",
                "glue:DeleteTable",
                "glue:DeleteTableVersion",
                "glue:GetDatabase",
                "glue:GetPartition",
                "glue:GetPartitions",
                "glue:GetTable",
                "glue:GetTables",
                "glue:GetTableVersions",
                "glue:UpdateTable",
            ],
            [f"{glue}:catalog", *tables],
        ),
        (
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            [f"{bucket}/dbt/*" for bucket in buckets],
        ),
    ]
