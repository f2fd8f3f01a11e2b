"""What the checks share: the deployment, roles, queries, waiting."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import generator
from acceptance.actors import Actors
from acceptance.errors import CheckFailedError
from acceptance.listener import Listener
from acceptance.stack import Deployment, Say
from client.query import Row
from operate.account import Account
from operate.verify import Verdict, Verifier

RATE = 250.0
"""Orders per second, with their updates and deletes: what one shard takes without throttling."""
DENIAL = "acceptance-denial"
"""Name of the inline policy that denies a role everything."""


@dataclass
class Writes:
    """When each change was written; an order's n-th row belongs to its n-th write."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    report: generator.Report = field(default_factory=generator.Report)

    def note(self, operation: generator.Operation) -> None:
        """Record an operation; the generator calls it."""
        self.times[operation.orderid].append(time.time())


class Run:
    """One run.

    Parameters
    ----------
    orders:
        Number of orders to place.
    say:
        Receives short progress messages.

    Attributes
    ----------
    latencies:
        Seconds from each write to its row in a query result, sorted.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        orders: int = 1000,
        say: Say = lambda _: None,
    ) -> None:
        self.deployment = deployment
        self.orders = orders
        self.say = say
        self.token = secrets.token_hex(4)
        self.latencies: list[float] = []
        self.told = Listener(deployment, self.token)
        self._actors = Actors(deployment, secrets.token_hex(16))

    def __getitem__(self, output: str) -> str:
        return self.deployment.outputs[output]

    def client(self, service: str) -> Any:
        """A client with the caller's credentials."""
        return self.deployment.client(service)

    def acting_as(self, who: str) -> Account:
        """The account, with the role of the ``writer``, ``reader`` or ``operator``."""
        return self._actors.get(who)

    def ask(self, sql: str, parameters: Sequence[str] = ()) -> list[Row]:
        """Query Athena as the reader."""
        return list(self.acting_as("reader").rows(sql, parameters))

    def wait(self, what: str, condition: Callable[[], Any], seconds: float | None = None) -> Any:
        """Wait until ``condition`` returns something true, and return that.

        Raises
        ------
        CheckFailedError
            It did not in time.
        """
        patience = self.deployment.patience if seconds is None else seconds
        deadline = time.monotonic() + patience
        while not (answer := condition()):
            if time.monotonic() > deadline:
                raise CheckFailedError(f"timed out after {patience:.0f} s waiting for {what}")
            time.sleep(self.deployment.pause)
        return answer

    @contextlib.contextmanager
    def placing(self, count: int) -> Iterator[tuple[threading.Thread, Writes]]:
        """Place, change and delete orders as the writer, in a thread."""
        client = self.acting_as("writer").client("dynamodb")
        plan = generator.Plan(count=count, updates=0.4, deletes=0.1, rate=RATE)
        writes, stop = Writes(), threading.Event()
        failure: list[Exception] = []

        def work() -> None:
            try:
                writes.report = generator.write(
                    client,
                    self["tableName"],
                    generator.operations(plan),
                    journal=writes.note,
                    rate=plan.rate,
                    stop=stop,
                )
            except Exception as error:  # raised below, in the caller's thread
                failure.append(error)

        thread = threading.Thread(target=work, name="generator", daemon=True)
        thread.start()
        try:
            yield thread, writes
        finally:
            stop.set()
            thread.join()
        if failure:
            raise failure[0]
        if writes.report.failed:
            raise CheckFailedError(f"{writes.report.failed} changes could not be written")

    def place(self, count: int) -> generator.Report:
        """Place, change and delete orders as the writer, and wait until it is done."""
        with self.placing(count) as (thread, writes):
            thread.join()
        return writes.report

    def verify(self) -> Verdict:
        """Compare the table with the lake until they are equal.

        Raises
        ------
        CheckFailedError
            They did not become equal in time.
        """
        self.say("comparing the table with the lake")
        verifier = Verifier(self.acting_as("operator"))
        verdict = verifier.settle(self.deployment.patience, stop=threading.Event())
        if not verdict.matches:
            told = "; ".join(str(one) for one in verifier.explain(verdict.differences[:3]))
            raise CheckFailedError(
                f"{len(verdict.differences)} orders differ between the table "
                f"({verdict.table_items}) and the lake ({verdict.lake_orders}): {told}"
            )
        return verdict

    @contextlib.contextmanager
    def denied(self, role: str) -> Iterator[None]:
        """Deny a role of the stack everything meanwhile."""
        iam = self.client("iam")
        name = role.rpartition("/")[2]
        policy = (
            '{"Version": "2012-10-17", '
            '"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
        )
        iam.put_role_policy(RoleName=name, PolicyName=DENIAL, PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=name, PolicyName=DENIAL)

    def tidy(self) -> None:
        """Remove what the checks created outside the stack, also in a run that was killed."""
        self.told.remove()
        self._actors.remove()
        if crawler := self.deployment.outputs.get("crawlerName"):
            glue, iam = self.client("glue"), self.client("iam")
            with contextlib.suppress(
                glue.exceptions.EntityNotFoundException, iam.exceptions.NoSuchEntityException
            ):
                role = glue.get_crawler(Name=crawler)["Crawler"]["Role"].rpartition("/")[2]
                iam.delete_role_policy(RoleName=role, PolicyName=DENIAL)
