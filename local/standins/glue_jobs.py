"""Run the deployed Glue job with a local Spark, as the job's role."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.account.aws import Aws, Credentials
from local.errors import AwsError, LocalError
from local.standins import spark
from local.standins.events import glue_event

CORES = 2
DRIVER_MEMORY = "1g"
_TAIL_LINES = 30
_CATALOG = "spark.sql.catalog.lake"


@dataclass
class JobRun:
    """One run of a job."""

    id: str
    job_name: str
    arguments: Mapping[str, str]
    started: float = field(default_factory=time.time)
    ended: float | None = None
    state: str = "RUNNING"
    error: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    thread: threading.Thread | None = None

    def described(self) -> dict[str, Any]:
        """The run in the Glue API's form."""
        end = self.ended or time.time()
        told: dict[str, Any] = {
            "Id": self.id,
            "JobName": self.job_name,
            "JobRunState": "STOPPING" if self.state == "STOPPED" and not self.ended else self.state,
            "Arguments": dict(self.arguments),
            "StartedOn": self.started,
            "ExecutionTime": int(end - self.started),
        }
        if self.ended:
            told["CompletedOn"] = self.ended
        return told | ({"ErrorMessage": self.error} if self.error else {})


class Jobs:
    """Runs the deployed jobs, and serves the Glue API's job run actions.

    Parameters
    ----------
    definitions:
        The ``CreateJob`` parameters of each job.
    """

    def __init__(self, aws: Aws, definitions: list[dict[str, Any]]) -> None:
        self._aws = aws
        self._definitions = {one["Name"]: one for one in definitions}
        self._runs: dict[str, JobRun] = {}
        self._lock = threading.Lock()

    def run(self, name: str, arguments: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Run a job, wait for it and return its figures.

        Raises
        ------
        LocalError
            If Spark cannot run here, or the job failed.
        """
        spark.check()
        run = self.start(name, arguments or {})
        assert run.thread is not None
        run.thread.join()
        if run.state != "SUCCEEDED":
            raise LocalError(f"the batch job {name} ended as {run.state}: {run.error}")
        return run.figures

    def start(self, name: str, arguments: Mapping[str, str]) -> JobRun:
        """Start a run in the background.

        Raises
        ------
        AwsError
            As Glue does: no such job, or too many concurrent runs.
        """
        with self._lock:
            definition = self._definition(name)
            under_way = [r for r in self._runs.values() if r.job_name == name and not r.ended]
            if len(under_way) >= definition["ExecutionProperty"]["MaxConcurrentRuns"]:
                raise AwsError(
                    "ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}"
                )
            given = {**definition["DefaultArguments"], **arguments}
            run = JobRun(f"jr_{uuid.uuid4().hex}", name, given)
            run.thread = threading.Thread(
                target=self._work, args=(run, definition), name=f"job {name}", daemon=True
            )
            self._runs[run.id] = run
            run.thread.start()
        return run

    def stop(self) -> None:
        """Stop every run; each run's changes are in the table completely or not at all."""
        for run in list(self._runs.values()):
            _kill(run)
            if run.thread is not None:
                run.thread.join()

    def hooks(self) -> dict[str, Any]:
        """Action -> handler: ``(request body, caller) -> response body``."""
        return {
            "StartJobRun": self._start,
            "GetJobRun": lambda body, _: {"JobRun": self._run(body).described()},
            "GetJobRuns": lambda body, _: {"JobRuns": self._list(body["JobName"])},
            "BatchStopJobRun": self._stop,
        }

    def _start(self, body: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        try:
            spark.check()
        except LocalError as error:
            raise AwsError("InvalidInputException", str(error)) from None
        return {"JobRunId": self.start(body["JobName"], body.get("Arguments") or {}).id}

    def _stop(self, body: Mapping[str, Any], _: Credentials) -> dict[str, Any]:
        name = body["JobName"]
        stopped = [self._run({"JobName": name, "RunId": one}) for one in body["JobRunIds"]]
        for run in stopped:
            _kill(run)
        done = [{"JobName": name, "JobRunId": run.id} for run in stopped]
        return {"SuccessfulSubmissions": done, "Errors": []}

    def _list(self, name: str) -> list[dict[str, Any]]:
        self._definition(name)
        return [r.described() for r in reversed(self._runs.values()) if r.job_name == name]

    def _run(self, body: Mapping[str, Any]) -> JobRun:
        run = self._runs.get(body["RunId"])
        if run is None or run.job_name != body["JobName"]:
            raise AwsError("EntityNotFoundException", f"Job run {body['RunId']} is not found")
        return run

    def _definition(self, name: str) -> dict[str, Any]:
        if name not in self._definitions:
            raise AwsError("EntityNotFoundException", f"Job {name} is not found")
        return self._definitions[name]

    def _work(self, run: JobRun, definition: Mapping[str, Any]) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="sales-cdc-batch-") as folder:
                self._spark(run, definition, Path(folder))
        except (AwsError, ClientError, LocalError, OSError, ValueError) as error:
            run.error = run.error or str(error)
        if run.state == "RUNNING":
            run.state = "FAILED" if run.error else "SUCCEEDED"
        run.ended = time.time()
        detail = {
            "jobName": run.job_name,
            "severity": "ERROR" if run.state == "FAILED" else "INFO",
            "state": run.state,
            "jobRunId": run.id,
            "message": run.error or "Job run succeeded",
        }
        glue_event(self._aws, "Glue Job State Change", detail)

    def _spark(self, run: JobRun, definition: Mapping[str, Any], folder: Path) -> None:
        """Fetch the job's files as its role and run them, as Glue does."""
        role = self._aws.assume(definition["Role"], run.id[:64])
        script = self._fetch(role, definition["Command"]["ScriptLocation"], folder)
        for module in filter(None, run.arguments.get("--extra-py-files", "").split(",")):
            self._fetch(role, module, folder)
        arguments = [part for pair in run.arguments.items() for part in pair]
        log = folder / "stderr.log"
        with log.open("w") as errors:
            run.process = subprocess.Popen(  # noqa: S603 - our own interpreter and files
                [sys.executable, str(script), *arguments, "--JOB_RUN_ID", run.id],
                cwd=folder,
                env=self._environment(role, folder),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # so that killing the group also ends Java
            )
            if run.state == "STOPPED":  # before the process started
                _kill(run)
            out, _ = run.process.communicate()
        lines = out.splitlines()
        self._log(run, lines)
        if run.process.returncode:
            run.error = run.error or _why(log.read_text())  # a stopped run already has its error
        else:
            run.figures = json.loads(lines[-1])

    def _fetch(self, role: Credentials, location: str, folder: Path) -> Path:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        path = folder / key.rpartition("/")[2]
        answer = self._aws.client("s3", role).get_object(Bucket=bucket, Key=key)
        path.write_bytes(answer["Body"].read())
        return path

    def _environment(self, role: Credentials, folder: Path) -> dict[str, str]:
        gateway, emulator = self._aws.gateway_url or "", self._aws.emulator_url
        conf = {
            "spark.jars": ",".join(map(str, spark.jars())),
            "spark.driver.memory": DRIVER_MEMORY,
            "spark.driver.extraJavaOptions": spark.JAVA_OPTIONS,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": str(CORES),
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "unused"),
            f"{_CATALOG}.glue.endpoint": gateway,
            f"{_CATALOG}.client.region": self._aws.region,
            f"{_CATALOG}.s3.endpoint": emulator,
            f"{_CATALOG}.s3.path-style-access": "true",
            # Hadoop's S3A for the s3:// scheme, as on Glue 5.1.
            "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            "spark.hadoop.fs.s3a.endpoint": emulator,
            "spark.hadoop.fs.s3a.endpoint.region": self._aws.region,
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
            "spark.hadoop.fs.s3a.aws.credentials.provider": (
                "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"
            ),
        }
        submit = ["--master", f"local[{CORES}]"]
        for name, value in conf.items():
            submit += ["--conf", f"{name}={value}"]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYSPARK_"))}
        return kept | {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token or "",
            "AWS_REGION": self._aws.region,
            "AWS_DEFAULT_REGION": self._aws.region,
            "AWS_ENDPOINT_URL_GLUE": gateway,
            "AWS_ENDPOINT_URL": emulator,
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": shlex.join([*submit, "pyspark-shell"]),
            "PYTHONPATH": str(folder),
        }

    def _log(self, run: JobRun, lines: list[str]) -> None:
        """Write the job's output to the log group that Glue uses.

        As root: the emulator authorizes on ``log-group:NAME``, but AWS on ``log-group:NAME:*``,
        which the role allows.
        """
        group = f"{run.arguments['--custom-logGroup-prefix']}/output"
        logs = self._aws.client("logs")
        logs.create_log_stream(logGroupName=group, logStreamName=run.id)
        now = int(datetime.now(UTC).timestamp() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line.strip()]
        if events:
            logs.put_log_events(logGroupName=group, logStreamName=run.id, logEvents=events)


def _why(log: str) -> str:
    """Why a run failed: its own error, the missing permission, or the end of its log."""
    lines = log.splitlines()
    told = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    denied = [line.strip() for line in lines if "is not authorized to perform" in line]
    tail = "last lines of its log:\n" + "\n".join(lines[-_TAIL_LINES:])
    return told[-1] if told else denied[0] if denied else tail


def _kill(run: JobRun) -> None:
    if run.ended:
        return
    run.state, run.error = "STOPPED", "it was stopped"
    if run.process is not None and run.process.poll() is None:
        os.killpg(run.process.pid, signal.SIGKILL)
