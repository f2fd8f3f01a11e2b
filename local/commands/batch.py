"""Run the deployed Spark job, in the local chain's process or through the Glue API."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.chain import LocalChain
from local.errors import LocalError

_POLL_SECONDS = 0.5
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT")


def run_batch(stack: LocalChain) -> dict[str, Any]:
    """Update the table of current items and return the run's figures.

    Raises
    ------
    LocalError
        If Java or the jars are missing (the message says what to install), or the job failed.
    """
    assert stack.jobs is not None, "the chain runs"
    return stack.jobs.run(stack.outputs["batchJobName"])


def start_and_await(environment: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, Any]:
    """Do what `run_batch` does from another process, through the Glue API.

    Parameters
    ----------
    environment:
        The variables that ``python -m local env`` prints.
    """
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    glue = session.client("glue", endpoint_url=environment["AWS_ENDPOINT_URL_GLUE"])
    job = outputs["batchJobName"]
    try:
        run_id = glue.start_job_run(JobName=job)["JobRunId"]
        try:
            run = _await(glue, job, run_id)
        except KeyboardInterrupt:
            glue.batch_stop_job_run(JobName=job, JobRunIds=[run_id])
            raise
        if run["JobRunState"] != "SUCCEEDED":
            told = run.get("ErrorMessage", "")
            raise LocalError(f"the batch job {job} ended as {run['JobRunState']}: {told}")
        logs = session.client("logs", endpoint_url=environment["AWS_ENDPOINT_URL"])
        group = f"{run['Arguments']['--custom-logGroup-prefix']}/output"
        events = logs.get_log_events(logGroupName=group, logStreamName=run_id)["events"]
    except glue.exceptions.ConcurrentRunsExceededException:
        raise LocalError(f"the batch job {job} is running already: wait for its end") from None
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"the batch job {job}: {error}") from error
    answer: dict[str, Any] = json.loads(events[-1]["message"])
    return answer


def _await(glue: Any, job: str, run_id: str) -> dict[str, Any]:
    while True:
        run: dict[str, Any] = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        if run["JobRunState"] in _ENDED:
            return run
        time.sleep(_POLL_SECONDS)
