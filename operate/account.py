"""Clients for a deployed stack's resources, and explanations of AWS errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from client import errors, query, stack_outputs
from operate.reasons import Pseudonym, pseudonyms
from schema import Schema

PSEUDONYM_KEY = "pseudonymKeyArn"
"""The output with the ARN of the secret with the key of pseudonyms."""


class ReplayError(Exception):
    """The command cannot be completed; the message says why and what to do."""


class UsageError(ReplayError):
    """Wrong usage (exit code 2)."""


class Account:
    """The stack's outputs, and clients for its resources.

    Parameters
    ----------
    outputs:
        The outputs from `stack_outputs.load`.
    session:
        The session with the credentials to use. Default: boto3's own.
    """

    def __init__(self, outputs: Mapping[str, str], session: boto3.Session | None = None) -> None:
        self.outputs = outputs
        self._session: Any = session or boto3.Session(region_name=outputs.get("region"))
        self._clients: dict[str, Any] = {}

    @classmethod
    def load(cls, stack: str | None, file: Path | None, keys: Sequence[str]) -> Account:
        """The account of a stack, or of a file of its outputs.

        Raises
        ------
        UsageError
            No such stack, file or output.
        """
        try:
            return cls(stack_outputs.load(stack, file, keys=keys))
        except stack_outputs.StackOutputsError as error:
            raise UsageError(str(error)) from None

    def __getitem__(self, output: str) -> str:
        return self.outputs[output]

    def client(self, service: str) -> Any:
        """A cached boto3 client; call this from one thread only."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                config=Config(
                    retries={"mode": "standard", "max_attempts": 6},
                    connect_timeout=5,
                    read_timeout=60,
                    max_pool_connections=32,
                ),
            )
        return self._clients[service]

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Iterator[query.Row]:
        """Rows of an Athena query in the stack's workgroup and database.

        Raises
        ------
        ReplayError
            The query failed.
        """
        where = {"workgroup": self["workgroupName"], "database": self["databaseName"]}
        try:
            yield from query.rows(self.client("athena"), sql, **where, parameters=parameters)
        except query.QueryFailedError as error:
            raise ReplayError(f"Athena: {error}") from None

    def schema(self) -> Schema:
        """The schema that the stack is deployed with.

        Raises
        ------
        ReplayError
            The table has other keys, or the output cannot be read.
        """
        try:
            schema = stack_outputs.schema_of(self.outputs)
        except stack_outputs.StackOutputsError as error:
            raise ReplayError(str(error)) from None
        table = self.client("dynamodb").describe_table(TableName=self["tableName"])["Table"]
        keys = tuple(
            key["AttributeName"]
            for kind in ("HASH", "RANGE")
            for key in table["KeySchema"]
            if key["KeyType"] == kind
        )
        if keys != schema.key_attributes:
            raise ReplayError(
                f"the table {self['tableName']} has the key {', '.join(keys)}, but the stack's "
                f"schema has {', '.join(schema.key_attributes)}: are these the outputs of the "
                "stack as it is deployed now?"
            )
        return schema

    def pseudonym(self, schema: Schema) -> Pseudonym | None:
        """What makes the stack's pseudonyms, with its key; None if the schema hashes nothing.

        Raises
        ------
        ReplayError
            The stack has no key.
        """
        if not schema.hashed:
            return None
        if PSEUDONYM_KEY not in self.outputs:
            names = ", ".join(column.name for column in schema.hashed)
            raise ReplayError(
                f"the schema hashes {names}, but the stack has no output {PSEUDONYM_KEY}: run "
                "`pulumi up`, or give its current outputs"
            )
        answer = self.client("secretsmanager").get_secret_value(SecretId=self[PSEUDONYM_KEY])
        return pseudonyms(answer["SecretString"].encode())

    def explain(self, error: Exception, who: Sequence[str] = ("operator", "reader")) -> str:
        """Explain a botocore error to the user of the command, in one line.

        Parameters
        ----------
        who:
            Those of the stack's policies that the command needs.
        """
        names = [f"{one}PolicyArn" for one in who]
        arns = ", ".join(self.outputs[name] for name in names if name in self.outputs)
        policies = f"{' and '.join(who)} {'policies' if len(who) > 1 else 'policy'}"
        needs = f"the stack's {policies}" + (f" ({arns})" if arns else "")
        return errors.explain(error, needs=needs)
