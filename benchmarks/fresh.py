"""How fresh Athena is with the deployed buffers: from a write to its row in an answer."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import generator
from benchmarks.result import Result
from local.chain import LocalChain
from local.commands.demo import Watch, quantile

RATES: Final = (2.0, 50.0)
"""Orders a second; an order is followed by about as many updates and deletes."""
GOALS: Final = {"dev": 15.0, "prod": 90.0}
LEAST_SECONDS: Final = 30.0
"""A run writes for as long as the buffers may hold a change, and at least for this long."""
_ASK_SECONDS = 0.1


@dataclass(frozen=True)
class Fresh:
    """The latencies of a run in seconds, ascending, and how many objects hold its rows."""

    seconds: list[float]
    objects: int

    def p(self, share: float) -> float:
        """A quantile."""
        return quantile(self.seconds, share)


def fresh(stack: str, rate: float, overrides: Mapping[str, str] | None = None) -> Fresh:
    """Write orders at ``rate`` and ask Athena all the time for the rows that it has not shown yet.

    A change counts until the end of the first query that returns its row. The stack has the buffers
    of ``Pulumi.<stack>.yaml``. AWS's own delays between its services are not in it.
    """
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalChain(stack, Path(directory), overrides=overrides, deployed_buffers=True) as chain,
    ):
        _warm_up(chain)
        duration = max(LEAST_SECONDS, chain.longest_wait)
        watch, written = Watch(), threading.Event()
        reports: list[generator.Report] = []

        def write() -> None:
            plan = generator.Plan(updates=0.4, deletes=0.1, seed=1, rate=rate, duration=duration)
            table, client = chain.outputs["tableName"], chain.aws.client("dynamodb")
            put = partial(generator.write, client, table, generator.operations(plan))
            try:
                reports.append(put(rate=rate, duration=duration, journal=watch.written))
            finally:
                written.set()

        writing = threading.Thread(target=write, daemon=True)
        began = time.time()
        writing.start()
        deadline = time.monotonic() + duration + 2 * chain.longest_wait + 60
        while not written.is_set() or watch.unseen():
            chain.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(watch.unseen())} changes did not reach Athena")
            _ask(chain, watch, began)
            time.sleep(_ASK_SECONDS)
        writing.join()
        if not reports or reports[0].failed:
            raise RuntimeError("changes could not be written")
        seconds = [one / 1000 for one in watch.latencies_ms()]
        return Fresh(seconds, chain.hops().objects)


def _ask(chain: LocalChain, watch: Watch, began: float) -> None:
    since = min(watch.unseen(), default=began)
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(since - 1))
    rows = chain.ask(
        "SELECT orderid, sequence_number FROM projection "
        f"WHERE day >= '{text[:10]}' AND creation_time >= timestamp '{text}'"
    )
    at = time.time()
    for row in rows:
        watch.seen(str(row["orderid"]), str(row["sequence_number"]), at)


def _warm_up(chain: LocalChain) -> None:
    """Start the function and Athena, whose first call takes longer."""
    event = json.dumps({"records": [], "deliveryStreamArn": "warm-up"})
    function = chain.outputs["transformFunctionName"]
    chain.aws.client("lambda").invoke(FunctionName=function, Payload=event)
    chain.ask("SELECT count(*) FROM projection")


def _worst(stack: str) -> Result:
    """The higher p99 of the two rates."""
    p99 = max(fresh(stack, rate).p(0.99) for rate in RATES)
    goal = GOALS[stack]
    return Result(
        name=f"fresh_{stack}_p99_s", ours=p99, peer=goal, ratio=goal / p99, goal=1.0, unit="s"
    )


def dev() -> Result:
    """From a write to its row in an Athena answer (p99), with the settings of dev."""
    return _worst("dev")


def prod() -> Result:
    """The same with the settings of prod: Parquet."""
    return _worst("prod")


BENCHMARKS = {"fresh_dev_p99_s": dev, "fresh_prod_p99_s": prod}
