"""The demo as a user runs it: orders in, query results out, nothing lost."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import generator
from local.chain import LocalChain
from local.errors import WorkerDiedError
from tests import warm_python

ROOT = Path(__file__).parents[2]


def local(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        warm_python.command("local", *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


def children(group: int) -> list[str]:
    """Processes whose session was started by ``group``'s emulator are its children by name."""
    listed = subprocess.run(
        ["ps", "-wweo", "pid,ppid,args"], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in listed.splitlines() if line.split()[1] == str(group)]


@pytest.mark.parametrize(
    ("stack", "orders"),
    [pytest.param("dev", 400, id="json"), pytest.param("prod", 300, id="parquet")],
)
def test_every_change_and_every_garbage_record_is_accounted_for(stack: str, orders: int) -> None:
    done = local(
        *("demo", "--stack", stack, "--orders", str(orders), "--garbage", "20"),
        *("--updates", "0.4", "--deletes", "0.1", "--seed", "7", "--json"),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    written = summary["written"]
    assert written["insert"] == orders
    assert written["modify"] > 0
    assert written["remove"] > 0
    changes = sum(written.values())
    assert summary["captured"] == summary["bridged"] == summary["delivered"] == changes
    assert summary["failed"] == 20
    assert summary["lost"] == 0
    assert summary["matches_table"] is True
    assert summary["current_orders"] == summary["table_items"] == orders - written["remove"]
    assert summary["objects"] >= 2
    assert "crawled_projection" in summary["crawled_tables"]
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    assert "problems" not in summary
    assert re.search(r"differs from \w+: bufferIntervalSeconds=1", done.stderr)
    assert "Revenue by product" in done.stderr, "the tables a person wants"
    assert done.stderr.rstrip().endswith("value by value."), "nothing else comes after the verdict"


@pytest.fixture(scope="module")
def seeded() -> subprocess.CompletedProcess[str]:
    """A run with a seed and the stack's own buffers, without colour."""
    arguments = ("--orders", "20", "--seed", "3", "--buffers", "deployed")
    return local("demo", *arguments, env=os.environ | {"NO_COLOR": "1"})


one_run = pytest.mark.xdist_group("seeded demo")


@one_run
def test_with_the_deployed_buffers_changes_wait_as_long_as_in_the_stack(
    seeded: subprocess.CompletedProcess[str],
) -> None:
    """In dev up to 13 s: the first change, written at once, waits for all of it."""
    assert seeded.returncode == 0, seeded.stderr
    (longest,) = re.findall(r"p99 (\d+) ms", seeded.stdout)
    assert 12_000 < int(longest) < 25_000
    assert "Nothing lost" in seeded.stdout
    assert "bufferIntervalSeconds" not in seeded.stderr, "the stack file's"


@one_run
def test_the_seed_decides_the_orders(seeded: subprocess.CompletedProcess[str]) -> None:
    """The order whose history is shown, the one with the most changes, is that of the seed."""
    assert seeded.returncode == 0, seeded.stderr
    plan = generator.Plan(count=20, updates=0.4, deletes=0.1, seed=3)
    made = list(generator.operations(plan))
    deleted = {one.orderid for one in made if one.kind == "delete"}
    changes = Counter(one.orderid for one in made if one.orderid not in deleted)
    order = min(changes, key=lambda one: (-changes[one], one))
    assert f"History of order {order}" in seeded.stdout


@one_run
def test_colour_and_live_counts_are_for_terminals_only(
    seeded: subprocess.CompletedProcess[str],
) -> None:
    assert seeded.returncode == 0, seeded.stderr
    assert "\x1b" not in seeded.stdout + seeded.stderr


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    with LocalChain("dev", tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.mark.xdist_group("less privilege")
@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("pipe", "kinesis:PutRecords"),
        ("pipe", "dynamodb:GetRecords"),
        ("firehose", "kinesis:GetRecords"),
        ("firehose", "s3:PutObject"),
    ],
)
def test_with_one_action_taken_out_the_hop_stops_and_names_role_and_action(
    stack: LocalChain, role: str, action: str
) -> None:
    hops: list[Any] = stack.pipes if role == "pipe" else stack.firehoses
    (hop,) = hops
    iam, name = stack.aws.client("iam"), hop.role_arn.rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
    where = {"RoleName": name, "PolicyName": policy}
    document = iam.get_role_policy(**where)["PolicyDocument"]
    less = copy.deepcopy(document)
    for statement in less["Statement"]:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        statement["Action"] = [one for one in actions if one != action] or ["sts:TagSession"]
    assert less != document
    iam.put_role_policy(**where, PolicyDocument=json.dumps(less))
    with pytest.raises(WorkerDiedError, match=re.escape(action)) as caught:
        table = stack.outputs["tableName"]
        item = {"orderid": {"S": "a"}, "note": {"S": action}}
        stack.aws.client("dynamodb").put_item(TableName=table, Item=item)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            stack.check()
            time.sleep(0.05)
    assert re.search(rf"role/\S*{role}\S*role", str(caught.value))
    iam.put_role_policy(**where, PolicyDocument=json.dumps(document))
    hops[:] = [type(hop)(stack.aws, hop.definition)]
    hops[0].start()


def test_ctrl_c_leaves_no_process_and_says_so() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "local", "demo", "--orders", "100000", "--rate", "5"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "writing orders" in line:
            break
    (emulator,) = (line for line in children(process.pid) if "strict_emulator" in line)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert not Path(f"/proc/{emulator.split()[0]}").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--orders", "0"], "orders 0: must be at least 1"),
        (["--updates", "0.9", "--deletes", "0.2"], "must be below 1"),
        (["--rate", "-1"], "rate -1"),
        (["--stack", "nope"], "no stack 'nope'"),
        (["--garbage", "-1"], "garbage"),
        (["--orders", "many"], "'--orders'"),
    ],
)
def test_invalid_options_are_rejected_with_a_message(arguments: list[str], message: str) -> None:
    done = local("demo", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
