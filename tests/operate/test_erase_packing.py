"""`operate erase` beside the function that packs the log: what is erased does not come back."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from local.chain import LocalChain
from operate.erasing import Choice, Erasure, runs
from schema.layout import PACKING_PREFIX
from tests import handlers
from tests.operate.conftest import Operated
from tests.operate.test_erase import plain
from tests.operate.test_erase_faults import HOUR, MARK, OTHER, KilledError, Lake, lines, row

ROOT = Path(__file__).resolve().parents[2]
LOG = f"projection/{HOUR}"
pytestmark = [pytest.mark.xdist_group("erase-packing")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    settings = {"protect": "true"}  # keeps old versions
    with LocalChain("dev", tmp_path_factory.mktemp("stack"), overrides=settings) as running:
        yield running


@pytest.fixture
def lake(operated: Operated) -> Lake:
    lake = Lake(operated)
    lake.reset()
    operated.act_as("eraserPolicyArn")
    return lake


class Packing:
    """The function's code, with a client of its own."""

    def __init__(self, module: ModuleType, s3: Any) -> None:
        self._module = module
        self.s3 = module._S3 = s3

    def run(self) -> dict[str, Any]:
        context = SimpleNamespace(
            aws_request_id=uuid.uuid4().hex, get_remaining_time_in_millis=lambda: 900_000
        )
        found: dict[str, Any] = self._module.handler({}, context)
        return found

    def before(self, call: str, do: Callable[[str], None]) -> None:
        """Do something before each request of this kind, given its path."""
        self.s3.meta.events.register(
            f"before-call.s3.{call}", lambda params, **_: do(params["url_path"])
        )


@pytest.fixture
def packing(stack: LocalChain, monkeypatch: pytest.MonkeyPatch) -> Packing:
    monkeypatch.syspath_prepend(str(ROOT / "jobs"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", stack.aws.region)
    monkeypatch.setenv("BUCKET_NAME", stack.outputs["bucketName"])
    monkeypatch.setenv("LOG_PREFIX", "projection/")
    monkeypatch.setenv("RUNS_PREFIX", PACKING_PREFIX)
    monkeypatch.setenv("LOOK_BACK_HOURS", "24")
    module = handlers.load("pack_log")
    name = stack.outputs["packFunctionName"]
    role = stack.aws.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    return Packing(module, stack.aws.client("s3", stack.aws.assume(role, uuid.uuid4().hex)))


def erase(operated: Operated, say: Callable[[str], None] = lambda _: None) -> Any:
    work = Erasure(operated.account(), Choice(keys=("orderid=gone",)), say=say)
    return work.run(dry_run=False)


def held(lake: Lake) -> set[bytes]:
    """The rows of the log, each once."""
    found = (
        plain(lake.s3.get_object(Bucket=lake.name, Key=one["Key"])["Body"].read())
        for one in lake.bucket.versions("projection/")
        if one["IsLatest"]
    )
    return {line for body in found for line in body.splitlines()}


def test_it_waits_for_a_run_that_has_read_the_log(
    operated: Operated, lake: Lake, packing: Packing
) -> None:
    """The run writes the row into a pack when the log has lost it already."""
    has_read, go = threading.Event(), threading.Event()

    def pause(path: str) -> None:
        if "/packed-" in path:
            has_read.set()
            assert go.wait(60)

    packing.before("PutObject", pause)
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(packing.run()))
    thread.start()
    assert has_read.wait(60)

    def say(text: str) -> None:
        if text.startswith(f"waiting for what has read the log before: {PACKING_PREFIX}"):
            assert not any(MARK.encode() in one for one in held(lake)), "the log has lost it"
            go.set()

    outcome = erase(operated, say)
    thread.join()
    assert done[0]["packs"] == 1, "of the other format, the objects had changed"
    assert outcome.remaining == []
    lake.assert_gone()
    assert row("stays", 1, OTHER) in held(lake)


def test_a_run_that_was_killed_is_not_waited_for_for_ever(
    operated: Operated, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.s3.put_object(Bucket=lake.name, Key=f"{PACKING_PREFIX}killed", Body=b"")
    monkeypatch.setattr(runs, "_DEAD", runs.timedelta(seconds=3))
    assert erase(operated).remaining == []
    lake.assert_gone()


@pytest.mark.parametrize("seed", range(2))
def test_packing_again_and_again_brings_nothing_back_and_loses_nothing(
    operated: Operated, lake: Lake, packing: Packing, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Runs without a pause and without the hour of grace, some of them killed at any request."""
    import pack_log

    monkeypatch.setattr(pack_log, "GRACE", runs.timedelta(0))
    chance = random.Random(seed)
    for number in range(12):
        mixed = lines(row("gone", 20 + number, MARK), row("stays", 20 + number, OTHER))
        lake.put(f"{LOG}/more-{number}", mixed)
    wanted = {one for one in held(lake) if MARK.encode() not in one}
    over = threading.Event()

    def maybe_kill(path: str) -> None:
        if chance.random() < 0.03 and PACKING_PREFIX not in path:
            raise KilledError

    for call in ("GetObject", "PutObject", "DeleteObjects", "ListObjectsV2"):
        packing.before(call, maybe_kill)
    ran: list[bool] = []

    def pack() -> None:
        while not over.is_set():
            with suppress(KilledError):
                ran.append(packing.run()["finished"])

    thread = threading.Thread(target=pack)
    thread.start()
    try:
        outcome = erase(operated)
    finally:
        over.set()
        thread.join()
    assert ran
    assert outcome.remaining == []
    lake.assert_gone()
    assert held(lake) == wanted
    for _ in range(6):
        with suppress(KilledError):
            packing.run()
    lake.assert_gone()
    assert held(lake) == wanted
