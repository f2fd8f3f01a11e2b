"""`python -m operate pause` and `resume`: on a running stack, and where AWS says more than it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from operate import pausing
from operate.account import Account, ReplayError
from tests.operate.conftest import Operated

pytestmark = [pytest.mark.xdist_group("replay-status")]


@pytest.fixture
def running(operated: Operated) -> Iterator[Operated]:
    """The stack; its pipe runs afterwards, whatever the test did."""
    yield operated
    operated.act_as("operatorPolicyArn")
    operated.run("resume")


def test_changes_made_while_it_is_paused_wait_and_arrive_afterwards(running: Operated) -> None:
    before = running.stack.hops().settled
    running.settle(running.write(10, seed=21, updates=0.5, deletes=0), before)
    paused = running.run("pause", "--json")
    assert paused.code == 0, paused.told
    assert paused.facts["state"] == "STOPPED" and paused.facts["changed"]
    until = datetime.fromisoformat(paused.facts["kept_until"])
    assert timedelta(hours=23, minutes=59) < until - datetime.now(UTC) <= timedelta(hours=24)
    assert "keeps a change for 24 hours" in paused.told

    before = running.stack.hops()
    written = running.write(7, seed=22, updates=0.5, deletes=0)
    again = running.run("pause", "--json")
    assert again.code == 0 and not again.facts["changed"]
    # Times in the stream are whole seconds: changes of the second of the stop may count as well.
    assert again.facts["waiting"] >= written and again.facts["waiting_complete"]
    assert "was already stopped" in again.told
    assert running.stack.hops() == before, "nothing passes"

    resumed = running.run("resume", "--json")
    assert resumed.code == 0, resumed.told
    assert resumed.facts["state"] == "RUNNING"
    assert resumed.facts["waiting"] == again.facts["waiting"]
    running.settle(written, before.settled)
    once_more = running.run("resume", "--json")
    assert once_more.code == 0 and not once_more.facts["changed"]
    assert once_more.facts["waiting"] == 0
    verified = running.run("verify", "--settle", "30", "--json")
    assert verified.facts["matches"] is True, verified.told


def test_without_the_operators_policy_it_says_what_is_missing(running: Operated) -> None:
    running.act_as("readerPolicyArn")
    for command in ("pause", "resume"):
        refused = running.run(command)
        assert refused.code == 1
        assert "no permission: DescribePipe" in refused.told
        assert running.stack.outputs["operatorPolicyArn"] in refused.told


def test_aws_refuses_to_start_what_runs(running: Operated) -> None:
    """The command never asks for it; another client may."""
    pipes = running.account().client("pipes")
    with pytest.raises(pipes.exceptions.ConflictException, match="is RUNNING, not STOPPED"):
        pipes.start_pipe(Name=running.stack.outputs["pipeName"])


class Pipes:
    """An account whose pipe answers as recorded."""

    def __init__(self) -> None:
        session = boto3.Session("k", "s", region_name="eu-west-1")
        outputs = {
            "pipeName": "p",
            "streamArn": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/1",
            "tableName": "t",
        }
        self.account = Account(outputs, session)
        self.pipes = Stubber(self.account.client("pipes"))
        self.streams = Stubber(self.account.client("dynamodbstreams"))
        self.pipes.activate()
        self.streams.activate()

    def is_(self, state: str, **more: Any) -> None:
        self.pipes.add_response(
            "describe_pipe",
            {"CurrentState": state, "LastModifiedTime": datetime(2026, 11, 1, tzinfo=UTC), **more},
            {"Name": "p"},
        )


def test_a_pipe_that_is_still_being_updated_is_waited_for() -> None:
    aws = Pipes()
    for state in ("UPDATING", "UPDATING", "RUNNING"):
        aws.is_(state)
    aws.pipes.add_response("stop_pipe", {"CurrentState": "STOPPING"}, {"Name": "p"})
    for state in ("STOPPING", "STOPPED"):
        aws.is_(state)
    outcome = pausing.pause(aws.account, threading.Event())
    assert outcome.state == "STOPPED" and outcome.changed
    aws.pipes.assert_no_pending_responses()


def test_a_pipe_that_does_not_start_says_why() -> None:
    aws = Pipes()
    aws.is_("STOPPED")
    aws.streams.add_client_error("describe_stream", "AccessDeniedException", "not authorized")
    aws.is_("STOPPED")
    aws.pipes.add_response("start_pipe", {"CurrentState": "STARTING"}, {"Name": "p"})
    aws.is_("STARTING")
    aws.is_("START_FAILED", StateReason="Cannot access\n stream")
    with pytest.raises(ReplayError, match="the pipe p is START_FAILED: Cannot access stream"):
        pausing.resume(aws.account, threading.Event())


def test_ctrl_c_ends_the_waiting_and_tells_the_state() -> None:
    aws = Pipes()
    aws.is_("RUNNING")
    aws.is_("RUNNING")
    aws.pipes.add_response("stop_pipe", {"CurrentState": "STOPPING"}, {"Name": "p"})
    aws.is_("STOPPING")
    stop = threading.Event()
    stop.set()
    assert pausing.pause(aws.account, stop).state == "STOPPING"
