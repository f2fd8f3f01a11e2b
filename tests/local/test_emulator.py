"""Starting and stopping the emulator, and its error messages."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.account import emulator as module
from local.account.aws import Aws, Credentials
from local.account.emulator import Emulator
from local.errors import LocalError
from tests.local.chain_parts import until


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LocalError, match=f"port {port} is taken.*--port"):
            Emulator(tmp_path, region="eu-west-1", port=port).start()


def test_one_that_does_not_answer_in_time_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_SECONDS", 0.3)
    monkeypatch.setattr(
        module,
        "_COMMAND",
        [sys.executable, "-c", "print('what went wrong', flush=True); import time; time.sleep(60)"],
    )
    stuck = Emulator(tmp_path, region="eu-west-1")
    with pytest.raises(LocalError, match=r"did not answer within 0 s(.|\n)*what went wrong"):
        stuck.start()
    assert not stuck.alive()


def test_one_that_exits_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_COMMAND", [sys.executable, "-c", "raise SystemExit('no luck')"])
    with pytest.raises(LocalError, match=r"exited with 1(.|\n)*no luck"):
        Emulator(tmp_path, region="eu-west-1").start()


def test_iam_is_enforced(aws: Aws) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = Credentials(key["AccessKeyId"], key["SecretAccessKey"], "arn:aws:iam::1:user/nobody")
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:ListTables"):
        aws.client("dynamodb", nobody).list_tables()


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from local.account.emulator import Emulator;"
        f"e = Emulator(Path({str(tmp_path)!r}), region='eu-west-1').start();"
        "print(e._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    status = Path(f"/proc/{child}/stat")
    # Gone, or a zombie where nobody collects the dead.
    until(lambda: not status.exists() or status.read_text().split()[2] == "Z")
