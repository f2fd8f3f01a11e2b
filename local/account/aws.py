"""Credentials, endpoints and boto3 clients of the local account."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

GATEWAY_SERVICES = frozenset({"athena", "dynamodbstreams", "glue", "pipes"})
"""Services that the gateway serves; all others go to the emulator."""
_CREATE = threading.Lock()


@cache
def _session() -> Any:
    """The process's session: it reads each service model from disk only once."""
    return boto3.Session()


@dataclass(frozen=True)
class Credentials:
    """An access key and the ARN of its IAM user or role."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    principal_arn: str
    session_token: str | None = field(default=None, repr=False)


class CredentialBook:
    """Every access key issued in this run; the gateway looks up who signed a request."""

    def __init__(self) -> None:
        self._by_key: dict[str, Credentials] = {}
        self._lock = threading.Lock()

    def add(self, credentials: Credentials) -> Credentials:
        """Remember ``credentials`` and return them."""
        with self._lock:
            self._by_key[credentials.access_key_id] = credentials
        return credentials

    def get(self, access_key_id: str) -> Credentials | None:
        """The credentials of this access key, or None if this run did not issue it."""
        with self._lock:
            return self._by_key.get(access_key_id)


class Aws:
    """The local account: one region, the emulator's endpoint, and the gateway's once it is up.

    Parameters
    ----------
    emulator_url, gateway_url:
        ``http://127.0.0.1:PORT``. Glue and Athena go to the gateway (see `GATEWAY_SERVICES`).
    root:
        The account's root user. Only set-up uses it; the chain acts as its roles.
    """

    def __init__(
        self, *, emulator_url: str, region: str, account_id: str, root: Credentials
    ) -> None:
        self.emulator_url = emulator_url
        self.gateway_url: str | None = None
        self.region = region
        self.account_id = account_id
        self.root = root
        self.book = CredentialBook()
        self.book.add(root)
        self._clients: dict[tuple[Any, ...], Any] = {}
        self._arrivals: list[threading.Event] = []

    def client(
        self,
        service: str,
        credentials: Credentials | None = None,
        *,
        direct: bool = False,
        max_attempts: int = 4,
        connections: int = 16,
    ) -> Any:
        """A boto3 client acting as ``credentials`` (default: root).

        ``direct`` bypasses the gateway and calls the emulator.
        """
        who = credentials or self.root
        through_gateway = service in GATEWAY_SERVICES and self.gateway_url and not direct
        url = self.gateway_url if through_gateway else self.emulator_url
        asked = (service, who.access_key_id, url, max_attempts, connections)
        with _CREATE:  # boto3 clients are thread-safe, creating them is not
            if asked not in self._clients:
                self._clients[asked] = _session().client(
                    service,
                    region_name=self.region,
                    endpoint_url=url,
                    aws_access_key_id=who.access_key_id,
                    aws_secret_access_key=who.secret_access_key,
                    aws_session_token=who.session_token,
                    config=Config(
                        retries={"max_attempts": max_attempts, "mode": "standard"},
                        max_pool_connections=connections,
                        connect_timeout=5,
                        read_timeout=60,
                        s3={"addressing_style": "path"},
                    ),
                )
            return self._clients[asked]

    def close(self) -> None:
        """Close the connections of every client; `client` makes new ones."""
        with _CREATE:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def arrivals(self) -> threading.Event:
        """A new event that is set whenever records may have arrived in a stream.

        A hint that saves polling; whoever waits for it also looks from time to time.
        """
        event = threading.Event()
        self._arrivals.append(event)
        return event

    def wake(self) -> None:
        """Set every event of `arrivals`."""
        for event in self._arrivals:
            event.set()

    def assume(self, role_arn: str, session_name: str) -> Credentials:
        """Temporary credentials of a role, from STS."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
        keys = answer["Credentials"]
        return self.book.add(
            Credentials(
                access_key_id=keys["AccessKeyId"],
                secret_access_key=keys["SecretAccessKey"],
                session_token=keys["SessionToken"],
                principal_arn=role_arn,
            )
        )
