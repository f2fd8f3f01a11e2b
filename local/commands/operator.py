"""The account of the local stack for the tools of `operate`, in this process."""

from __future__ import annotations

from typing import Any

from local.account.aws import Credentials
from local.chain import LocalChain
from operate.account import Account


class LocalAccount(Account):
    """The stack's account as one of its users sees it."""

    def __init__(self, stack: LocalChain, who: Credentials) -> None:
        self.outputs = {k: v for k, v in stack.outputs.items() if isinstance(v, str)}
        self._aws, self._who = stack.aws, who

    def client(self, service: str) -> Any:
        """A client with that user's key."""
        return self._aws.client(service, self._who)
