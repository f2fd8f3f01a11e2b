"""Why a record failed, according to the transform.

For a rejected record, Firehose stores only the status ProcessingFailed; the reason is in the
transform's log, without the record. So this runs the transform's code of this checkout, which needs
no permission and no invocation, and also shows whether the record would pass now.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from schema import Schema

_ROWS = Path(__file__).resolve().parent.parent / "lambda" / "transform" / "rows.py"

Judge = Callable[[bytes], str | None]
"""Why the transform rejects this data, or None if it accepts it."""
Pseudonym = Callable[[str], str]
"""What gives a text's pseudonym."""


class RejectedError(Exception):
    """The transform rejects a change record; the message says why, without its data."""


@cache
def _rows() -> Any:
    """The transform's module in this checkout."""
    spec = importlib.util.spec_from_file_location("sales_cdc_transform_rows", _ROWS)
    assert spec and spec.loader
    rows = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rows)
    return rows


def parse(data: bytes) -> Any:
    """The document in a record's raw data, compressed or not; ValueError if there is none."""
    return _rows().parse(_rows().unpack(data))


def pseudonyms(key: bytes) -> Pseudonym:
    """The transform's pseudonyms with this key."""
    made: Pseudonym = _rows().pseudonyms(key)
    return made


def liner(schema: Schema, pseudonym: Pseudonym | None) -> Callable[[Any], bytes]:
    """What makes a parsed change record's event row, as a line of JSON, or raises RejectedError.

    Parameters
    ----------
    pseudonym:
        For a schema with hashed columns: `operate.account.Account.pseudonym`.
    """
    rows = _rows()
    to_row: Callable[[Any], Any] = rows.compile_schema(json.loads(schema.to_json()), pseudonym)

    def line(change: Any) -> bytes:
        try:
            return orjson.dumps(to_row(change), option=orjson.OPT_APPEND_NEWLINE)
        except rows.RecordError as error:
            raise RejectedError(f"{type(error).__name__}: {error}") from None
        except Exception as error:  # the transform also returns ProcessingFailed for these
            raise RejectedError(f"{type(error).__name__}: unexpected error") from None

    return line


def judge(schema: Schema) -> Judge:
    """Why the transform rejects a record's raw data, or None."""
    # The reason does not depend on the key: every pseudonym has the same length.
    rows, line = _rows(), liner(schema, pseudonyms(b"any key"))

    def reason(data: bytes) -> str | None:
        try:
            row = line(rows.parse(rows.unpack(data)))
        except rows.RecordError as error:
            return f"{type(error).__name__}: {error}"
        except RejectedError as error:
            return str(error)
        if len(row) * 4 / 3 + rows.ENVELOPE > rows.MAX_ANSWER:
            return "AnswerTooLarge: does not fit into a response of 6 MB, even alone"
        return None

    return reason
