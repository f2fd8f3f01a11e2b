"""The record of an erasure: who, when, how much, and digests of the keys; no personal data.

A digest lets someone who has a key show that it was erased, and when. Keys may be easy to guess (an
order's number), so a plain hash would say them to anyone who tries all numbers: each record has a
salt of its own, and a digest takes some 10 ms of scrypt.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from operate.erasing.store import Store
from operate.erasing.subject import Key
from schema.layout import ERASURES_PREFIX


def digest(key: Key, salt: bytes) -> str:
    """The digest of a key: scrypt of its parts, joined by a zero byte."""
    text = "\0".join(key).encode()
    return hashlib.scrypt(text, salt=salt, n=2**13, r=8, p=1, dklen=32).hex()


class Record:
    """The record of one run, written before its first change and after its last."""

    def __init__(self, store: Store, facts: Mapping[str, Any], keys: Iterable[Key]) -> None:
        self._store = store
        began = datetime.now(UTC)
        self.key = f"{ERASURES_PREFIX}{began:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}.json"
        salt = secrets.token_bytes(16)
        self._facts = {
            "began": began.isoformat(timespec="seconds"),
            **facts,
            "salt": salt.hex(),
            "digests": sorted(digest(key, salt) for key in keys),
        }

    def begin(self) -> None:
        """Write it.

        It is written twice and the first version deleted, so a missing permission to write, to use
        the bucket's KMS key or to delete versions shows before anything else is changed.
        """
        first = self._save({"state": "began"})
        second = self._save({"state": "began"})
        if first.id != second.id:
            self._store.delete(first)
        else:
            self._store.delete(second)
            self._save({"state": "began"})

    def end(self, facts: Mapping[str, Any]) -> None:
        """Write what came of it."""
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self._save({"state": "ended", "ended": ended, **facts})

    def _save(self, facts: Mapping[str, Any]) -> Any:
        body = orjson.dumps(self._facts | dict(facts), option=orjson.OPT_INDENT_2)
        return self._store.write(self.key, body)
