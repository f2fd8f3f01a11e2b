"""`make audit`: check the packages in requirements.lock for known vulnerabilities.

Exit codes: 0 none, 1 found, 2 not checked. pip-audit skips packages that it cannot look up, so
without its database it would report success.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
KNOWN: Mapping[str, str] = {}
"""Advisories that cannot be fixed yet (``PYSEC-...``, ``GHSA-...``), and why they do no harm."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The lines to print and the exit code."""

    code: int
    lines: tuple[str, ...]


def judge(report: Mapping[str, Any], known: Mapping[str, str] = KNOWN) -> Verdict:
    """Read pip-audit's JSON."""
    packages = report["dependencies"]
    unseen = [one["name"] for one in packages if "skip_reason" in one]
    lines, open_ = [], 0
    for one in packages:
        for hole in one.get("vulns", ()):
            reason = next((known[i] for i in (hole["id"], *hole["aliases"]) if i in known), None)
            open_ += reason is None
            fixed = ", ".join(hole["fix_versions"]) or "no version"
            told = f"known: {reason}" if reason else f"fixed in {fixed}"
            lines.append(f"{one['name']} {one['version']}: {hole['id']}: {told}")
    if open_:
        return Verdict(
            code=1, lines=(*lines, f"{open_} known vulnerabilities; upgrade with: make lock")
        )
    if unseen or not packages:
        few = ", ".join(unseen[:3])
        told = f"{len(unseen)} of {len(packages)} packages could not be looked up ({few}, ...)"
        return Verdict(
            code=2,
            lines=(
                *lines,
                f"not audited: {told}: the advisory database is unreachable (check the network "
                "connection), or does not know them",
            ),
        )
    return Verdict(code=0, lines=(*lines, f"{len(packages)} packages, no new vulnerabilities"))


def main() -> int:
    """Run pip-audit on requirements.lock."""
    answer = subprocess.run(  # noqa: S603 - an argument list
        [
            *(sys.executable, "-m", "pip_audit", "--requirement", str(LOCK)),
            *("--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        verdict = judge(json.loads(answer.stdout))
    except ValueError:
        said = (answer.stderr.strip().splitlines() or ["pip-audit printed nothing"])[-1]
        verdict = Verdict(
            code=2, lines=(f"not audited: the advisory database is unreachable: {said}",)
        )
    print("\n".join(verdict.lines), file=sys.stderr if verdict.code else sys.stdout)
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
