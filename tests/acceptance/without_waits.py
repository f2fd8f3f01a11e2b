"""`python -m acceptance` as it is, but without the waits for what takes AWS its time."""

from __future__ import annotations

from acceptance import __main__, stack

if __name__ == "__main__":
    stack.TTL_SECONDS = stack.TAG_SECONDS = stack.GONE_SECONDS = 0.0
    __main__.app(prog_name="python -m acceptance")
