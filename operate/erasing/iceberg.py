"""stub"""

from __future__ import annotations
from typing import Any


class IcebergTable:
    def __init__(self, account: Any, store: Any, subject: Any, *, say: Any, stop: Any) -> None: ...
    def await_runs(self) -> bool:
        return False

    def erase(self, held: Any) -> None: ...
