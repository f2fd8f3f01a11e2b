"""The state of every part of a stack, and what to do about what is wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from botocore.exceptions import ClientError

from operate import metrics, verdicts
from operate.account import Account, ReplayError
from operate.failed import Window
from operate.pausing import KEPT
from operate.replaying import Choice, Replay
from schema.layout import PROJECTION_PREFIX

OUTPUTS = (
    "tableName",
    "streamArn",
    "kinesisStreamName",
    "pipeName",
    "dlqUrl",
    "deliveryStreamName",
    "transformFunctionName",
    "bucketName",
    "databaseName",
    "workgroupName",
    "projectionTable",
    "failedTable",
)
State = Literal["ok", "wrong", "unknown"]

_RUNBOOK = "docs/operations.md"
_BEHIND_MS = 10 * 60 * 1000
"""As of the alarm reader-behind."""
_DEFAULT_TRANSFORM_SECONDS = 60
"""Firehose's buffer interval for the transform, which is left out when it is the default."""
_MOST_JUDGED = 20_000
"""Failed records that are looked up in the ledger of replayed ones; more take too long."""
_NOT_HERE = frozenset({"InvalidAction", "NotImplemented", "UnknownOperationException"})
"""What an emulator answers to an action that it does not have."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """The state of one part.

    Attributes
    ----------
    says:
        The state in words.
    do:
        If it is wrong: what to do.
    facts:
        The same for programs.
    """

    part: str
    says: str
    state: State = "ok"
    do: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For JSON output."""
        told = {"state": self.state, "says": self.says, **self.facts}
        return told | ({"do": self.do} if self.do else {})


class Status:
    """Looks at each part of a stack.

    Parameters
    ----------
    now:
        The time to compare with. Default: the clock's.
    stop:
        Set it to end early.
    """

    def __init__(
        self,
        account: Account,
        *,
        now: datetime | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._account = account
        self._now = now or datetime.now(UTC)
        self._stop = stop or threading.Event()
        self._looks: Mapping[str, Callable[[str], Line]] = {
            "table": self._table,
            "pipe": self._pipe,
            "kinesis": self._kinesis,
            "firehose": self._firehose,
            "transform": self._transform,
            "lake": self._lake,
            "failed records": self._failed,
            "dead letters": self._dead_letters,
            "batch": self._batch,
            "lag": self._lag,
            "metrics": self._readable,
            "alarms": self._alarms,
            "verify": self._verify,
        }

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts, from source to lake."""
        return tuple(self._looks)

    def lines(self) -> Iterator[Line]:
        """The state of each part; each is looked up when it is asked for."""
        for part in self._looks:
            if self._stop.is_set():
                return
            yield self.line(part)

    def line(self, part: str) -> Line:
        """The state of one of the `parts`."""
        try:
            return self._looks[part](part)
        except ClientError as error:
            if _not_here(error):
                return _unknown(part, "unknown: this endpoint does not tell")
            return self._unread(part, error)
        except ReplayError as error:
            return Line(part=part, says=str(error), state="wrong", do="see the message")

    @cached_property
    def _metrics(self) -> dict[str, metrics.Series] | ClientError:
        try:
            return metrics.read(self._account, self._now)
        except ClientError as error:
            return error

    def _series(self, name: str) -> metrics.Series:
        """A metric; without values if there is none, or if the line `metrics` says why."""
        found = self._metrics
        return metrics.Series() if isinstance(found, ClientError) else found[name]

    def _readable(self, part: str) -> Line:
        if isinstance(self._metrics, ClientError):
            raise self._metrics
        without = [name for name, series in self._metrics.items() if not series.points]
        facts = {"without_data": without}
        if without:
            names = ", ".join(metrics.METRICS[name].name for name in without)
            return _unknown(part, f"no data in the last 24 hours: {names}", facts)
        return Line(part=part, says=f"all {len(self._metrics)} have data", facts=facts)

    def _unread(self, part: str, error: ClientError) -> Line:
        return Line(
            part=part,
            says=f"cannot be read: {self._account.explain(error)}",
            state="wrong",
            do="see the message; `pulumi up` restores the stack and its policies",
        )

    # -- the parts ---------------------------------------------------------------------------

    def _table(self, part: str) -> Line:
        dynamodb, name = self._account.client("dynamodb"), self._account["tableName"]
        table = dynamodb.describe_table(TableName=name)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        stream = table.get("StreamSpecification") or {}
        on = bool(stream.get("StreamEnabled"))
        facts = {
            "name": name,
            "status": table["TableStatus"],
            "items": table["ItemCount"],
            "stream": on,
            "view_type": stream.get("StreamViewType"),
            "point_in_time_recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
            "ttl_attribute": expiry.get("AttributeName")
            if expiry["TimeToLiveStatus"] == "ENABLED"
            else None,
        }
        says = (
            f"{facts['status']}, about {facts['items']:,} items (counted every six hours); stream "
            f"{facts['view_type'] if on else 'off'}; point-in-time recovery "
            f"{'on' if facts['point_in_time_recovery'] else 'off'}; TTL "
            f"{facts['ttl_attribute'] or 'off'}"
        )
        problem = ""
        if facts["status"] not in {"ACTIVE", "UPDATING"}:
            problem = "wait until the table is ACTIVE"
        elif not on:
            problem = "switch the stream on, then `pulumi up --refresh`"
        elif table.get("LatestStreamArn") != self._account["streamArn"]:
            says += "; the stream is another one than the pipe reads"
            problem = "`pulumi up --refresh`"
        if problem:
            return _wrong(part, says, f"{problem}: {_RUNBOOK}#chain-silent", facts)
        return Line(part=part, says=says, facts=facts)

    def _pipe(self, part: str) -> Line:
        name = self._account["pipeName"]
        pipe = self._account.client("pipes").describe_pipe(Name=name)
        state, reason = pipe["CurrentState"], pipe.get("StateReason") or ""
        active = self._series("executions").last_above_zero()
        facts = {"name": name, "pipe_state": state, "reason": reason, "last_activity": _iso(active)}
        says = f"{state}{f' ({reason})' if reason else ''}; last activity {self._ago(active)}"
        if state == "STOPPED":
            since = pipe["LastModifiedTime"].astimezone(UTC)
            says += (
                f"; stopped at {since:%F %T} UTC, so changes are lost from {since + KEPT:%F %T} on"
            )
            return _wrong(part, says, f"`python -m operate resume`: {_RUNBOOK}#paused", facts)
        if state != "RUNNING":
            return _wrong(part, says, f"{_RUNBOOK}#chain-silent", facts)
        return Line(part=part, says=says, facts=facts)

    def _kinesis(self, part: str) -> Line:
        stream = self._account.client("kinesis").describe_stream_summary(
            StreamName=self._account["kinesisStreamName"]
        )["StreamDescriptionSummary"]
        mode = stream.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
        behind = self._series("behind").latest(self._now - timedelta(minutes=15))
        facts = {
            "status": stream["StreamStatus"],
            "mode": mode,
            "open_shards": stream["OpenShardCount"],
            "retention_hours": stream["RetentionPeriodHours"],
            "behind_seconds": None if behind is None else behind / 1000,
        }
        says = (
            f"{facts['status']}, {mode.lower().replace('_', ' ')}, {facts['open_shards']} open "
            f"shard{'' if facts['open_shards'] == 1 else 's'}, keeps {facts['retention_hours']} h; "
            f"Firehose reads {'unknown' if behind is None else _seconds(behind / 1000)} behind"
        )
        if facts["status"] not in {"ACTIVE", "UPDATING"}:
            return _wrong(part, says, "`pulumi up --refresh`", facts)
        if (behind or 0) >= _BEHIND_MS:
            return _wrong(part, says, f"{_RUNBOOK}#reader-behind", facts)
        return Line(part=part, says=says, facts=facts)

    def _firehose(self, part: str) -> Line:
        stream = self._account.client("firehose").describe_delivery_stream(
            DeliveryStreamName=self._account["deliveryStreamName"]
        )["DeliveryStreamDescription"]
        age = self._series("freshness").latest(self._now - timedelta(minutes=15))
        late = _late_after(stream["Destinations"][0])
        facts = {
            "status": stream["DeliveryStreamStatus"],
            "freshness_seconds": age,
            "late_after_seconds": late,
        }
        told = "unknown" if age is None else _seconds(age)
        says = f"{facts['status']}; oldest record {told} (late after {_seconds(late)})"
        if facts["status"] != "ACTIVE":
            return _wrong(part, says, f"{_RUNBOOK}#delivery-failed", facts)
        if (age or 0) > late:
            return _wrong(part, says, f"{_RUNBOOK}#delivery-late", facts)
        return Line(part=part, says=says, facts=facts)

    def _transform(self, part: str) -> Line:
        function = self._account.client("lambda").get_function_configuration(
            FunctionName=self._account["transformFunctionName"]
        )
        state = function.get("State", "Active")
        update = function.get("LastUpdateStatus", "Successful")
        failures = self._series("errors").total(self._now - timedelta(hours=1))
        age = self._series("age").latest(self._now - timedelta(minutes=15))
        facts = {
            "function_state": state,
            "last_update": update,
            "errors": None if failures is None else int(failures),
            "age_p99_seconds": None if age is None else age / 1000,
        }
        told = "errors unknown" if failures is None else f"{failures:,.0f} errors in the last hour"
        old = "unknown" if age is None else _seconds(age / 1000)
        says = f"{state}, last update {update.lower()}; {told}; age of changes (p99) {old}"
        # Lambda puts a function that is not used for weeks to sleep; the next call wakes it.
        if state not in {"Active", "Inactive"} or update == "Failed" or failures:
            return _wrong(part, says, f"{_RUNBOOK}#transform-errors", facts)
        return Line(part=part, says=says, facts=facts)

    def _lake(self, part: str) -> Line:
        newest = self._newest_object()
        facts = {"last_object": newest and newest[0], "last_arrival": _iso(newest and newest[1])}
        if not newest:
            return _unknown(part, "empty: no object has arrived", facts)
        return Line(part=part, says=f"last object {self._ago(newest[1])}", facts=facts)

    def _failed(self, part: str) -> Line:
        since = self._now - timedelta(hours=24)
        (row,) = self._account.rows(
            f"SELECT count(*) AS records FROM {self._account['failedTable']} "  # noqa: S608
            f"WHERE day >= '{since:%Y-%m-%d}' "
            f"AND arrivaltimestamp >= {int(since.timestamp() * 1000)}"
        )
        records = int(row["records"] or 0)
        waiting: int | None = records
        if 0 < records <= _MOST_JUDGED:
            replay = Replay(self._account, stop=self._stop)
            waiting = sum(one.waiting for one in replay.groups(Choice(window=Window(since))))
        facts = {"last_day": records, "waiting": waiting}
        says = f"{records:,} in the last 24 hours"
        if waiting:
            says += f", {waiting:,} not replayed"
            return _wrong(part, says, f"{_RUNBOOK}#failed-records", facts)
        return Line(part=part, says=f"{says}{', all replayed' if records else ''}", facts=facts)

    def _dead_letters(self, part: str) -> Line:
        told = self._account.client("sqs").get_queue_attributes(
            QueueUrl=self._account["dlqUrl"],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        messages = sum(int(value) for value in told.values())
        facts = {"messages": messages}
        if messages:
            says = f"{messages:,} in the queue; the table's stream keeps their changes for 24 hours"
            return _wrong(part, says, f"{_RUNBOOK}#dead-letters", facts)
        return Line(part=part, says="none", facts=facts)

    def _batch(self, part: str) -> Line:
        job = self._account.outputs.get("batchJobName")
        if not job:
            return Line(part=part, says="the stack has no batch job")
        runs = self._account.client("glue").get_job_runs(JobName=job, MaxResults=20)["JobRuns"]
        if not runs:
            return Line(part=part, says="never run", facts={"last_run": None})
        run = max(runs, key=lambda one: one["StartedOn"])
        state = run["JobRunState"]
        watermark = None
        if any(one["JobRunState"] == "SUCCEEDED" for one in runs):
            watermark = self._watermark()
        facts = {
            "run_state": state,
            "last_run": _iso(run["StartedOn"]),
            "watermark": watermark,
        }
        says = f"{state}, started {self._ago(run['StartedOn'])}"
        if watermark:
            says += f"; its table has what arrived up to the hour {watermark} UTC"
        if state in {"FAILED", "TIMEOUT", "ERROR", "EXPIRED"}:
            if reason := run.get("ErrorMessage"):
                says += f" ({' '.join(reason.split())[:200]})"
            return _wrong(part, says, f"{_RUNBOOK}#job-failed", facts)
        return Line(part=part, says=says, facts=facts)

    def _watermark(self) -> str | None:
        """The newest hour of arrival in the batch's table, as ``YYYY-MM-DD HH``."""
        table = self._account.schema().name
        (row,) = self._account.rows(f'SELECT max(arrived) AS hour FROM "{table}"')  # noqa: S608
        hour = row["hour"]
        return hour and f"{hour[:10]} {hour[11:]}"

    def _lag(self, part: str) -> Line:
        since = self._now - timedelta(hours=24)
        (row,) = self._account.rows(
            "SELECT count(*) AS changes, max(made) AS newest, "  # noqa: S608
            "approx_percentile(delay, 0.5) AS p50, approx_percentile(delay, 0.99) AS p99, "
            "max(delay) AS longest FROM (SELECT min(creation_time) AS made, "
            "date_diff('millisecond', min(creation_time), min(CAST(\"$file_modified_time\" "
            "AT TIME ZONE 'UTC' AS timestamp))) / 1000.0E0 AS delay "
            f"FROM {self._account['projectionTable']} WHERE day >= '{since:%Y-%m-%d}' "
            f"AND concat(day, hour) >= '{since:%Y-%m-%d%H}' AND event_type <> 'SNAPSHOT' "
            "GROUP BY event_id) AS arrivals"
        )
        changes = int(row["changes"] or 0)
        if not changes:
            says = "unknown: no change has arrived in the last 24 hours"
            return _unknown(part, says, {"changes": 0})
        p50, p99, longest = (float(row[name] or 0) for name in ("p50", "p99", "longest"))
        facts = {
            "changes": changes,
            "newest_change": row["newest"],
            "p50_seconds": p50,
            "p99_seconds": p99,
            "max_seconds": longest,
        }
        says = (
            f"from a change to the lake: half within {_seconds(p50)}, 99 % within {_seconds(p99)}, "
            f"all within {_seconds(longest)} ({changes:,} changes in the last 24 hours)"
        )
        return Line(part=part, says=says, facts=facts)

    def _alarms(self, part: str) -> Line:
        topic = self._account.outputs.get("alarmTopicArn")
        if not topic:
            says = "unknown: the stack has none (sales-cdc:monitoring is off)"
            return _unknown(part, says)
        prefix = topic.rpartition(":")[2].rpartition("-alarms-")[0]
        pages = (
            self._account.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{prefix}-")
        )
        alarms = (one for page in pages for one in page["MetricAlarms"])
        found = [one for one in alarms if topic in one["AlarmActions"]]
        ringing = sorted(_section(one) for one in found if one["StateValue"] == "ALARM")
        facts = {"alarms": len(found), "ringing": ringing}
        if ringing:
            sections = ", ".join(f"{_RUNBOOK}#{name}" for name in ringing)
            return _wrong(part, f"ringing: {', '.join(ringing)}", sections, facts)
        return Line(part=part, says=f"none of {len(found)} rings", facts=facts)

    def _verify(self, part: str) -> Line:
        last = verdicts.load(self._account)
        if last is None:
            says = "never run: `python -m operate verify` compares the lake with the table"
            return _unknown(part, says)
        at = datetime.fromisoformat(last["at"])
        counts = f"{last['table_items']:,} items in the table, {last['lake_orders']:,} in the lake"
        if last["matches"]:
            return Line(part=part, says=f"matched {self._ago(at)}: {counts}", facts=last)
        says = f"differed {self._ago(at)}: {counts}"
        return _wrong(
            part, says, f"`python -m operate verify --settle 600`: {_RUNBOOK}#differences", last
        )

    # -- helpers -----------------------------------------------------------------------------

    def _newest_object(self) -> tuple[str, datetime] | None:
        """The newest object of the log: the newest of the newest hour's."""
        s3, bucket = self._account.client("s3"), self._account["bucketName"]
        pages = s3.get_paginator("list_objects_v2")
        prefix = PROJECTION_PREFIX
        for _ in ("day", "hour"):
            folders = [
                folder["Prefix"]
                for page in pages.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
                for folder in page.get("CommonPrefixes", ())
            ]
            if not folders:
                return None
            prefix = max(folders)
        objects = [
            (one["LastModified"], one["Key"])
            for page in pages.paginate(Bucket=bucket, Prefix=prefix)
            for one in page.get("Contents", ())
        ]
        if not objects:
            return None
        at, key = max(objects)
        return key, at

    def _ago(self, moment: datetime | None) -> str:
        if moment is None:
            return "unknown"
        return f"{_seconds(max(0.0, (self._now - moment).total_seconds()))} ago"


def problems(lines: Sequence[Line]) -> list[Line]:
    """The lines that say what is wrong."""
    return [line for line in lines if line.state == "wrong"]


def _wrong(part: str, says: str, do: str, facts: Mapping[str, Any]) -> Line:
    return Line(part=part, says=says, state="wrong", do=do, facts=facts)


def _unknown(part: str, says: str, facts: Mapping[str, Any] | None = None) -> Line:
    return Line(part=part, says=says, state="unknown", facts=facts or {})


def _not_here(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _NOT_HERE


def _section(alarm: Mapping[str, Any]) -> str:
    """The alarm's name in the runbook, which its description ends with."""
    _, _, name = str(alarm.get("AlarmDescription", "")).rpartition("#")
    return name or str(alarm["AlarmName"])


def _late_after(destination: Mapping[str, Any]) -> int:
    """Seconds after which the alarm delivery-late calls records late."""
    to_s3 = destination["ExtendedS3DestinationDescription"]
    held = int(to_s3.get("BufferingHints", {}).get("IntervalInSeconds", 300))
    processors = to_s3.get("ProcessingConfiguration", {}).get("Processors", [])
    given = {
        one["ParameterName"]: one["ParameterValue"]
        for processor in processors
        for one in processor.get("Parameters", [])
    }
    held += int(given.get("BufferIntervalInSeconds", _DEFAULT_TRANSFORM_SECONDS))
    return 2 * held + 300


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def _seconds(value: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if value >= 2 * size:
            return f"{value / size:.0f} {unit}"
    return f"{value:.0f} s"
