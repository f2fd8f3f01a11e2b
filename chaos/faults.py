"""The faults; each returns once it has taken effect and is over."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import orjson
from botocore.exceptions import ClientError, EndpointConnectionError

import local.standins.firehose
import local.standins.pipe
from chaos.injector import Action, Call, KilledError, Request
from chaos.rig import Rig, kill
from local.errors import AwsError

Fault = Callable[[Rig, random.Random], None]
FAULTS: dict[str, Fault] = {}
_LOST_CONNECTION = AwsError("ServiceUnavailable", "connection reset by peer", 503)


def fault(name: str) -> Callable[[Fault], Fault]:
    """Register a fault under its name in the table."""

    def register(function: Fault) -> Fault:
        FAULTS[name] = function
        return function

    return register


# -- actions at the wire ----------------------------------------------------------------------


def _kill_before(_call: Call, _request: Request) -> Any:
    raise KilledError


def _kill_after(call: Call, request: Request) -> Any:
    call(request)
    raise KilledError


def _refuse(code: str, status: int = 400) -> Action:
    def act(_call: Call, _request: Request) -> Any:
        raise AwsError(code, "injected", status)

    return act


def _refuse_boto(code: str, status: int, operation: str) -> Action:
    def act(_call: Call, _request: Request) -> Any:
        answer: Any = {
            "Error": {"Code": code, "Message": "injected"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        raise ClientError(answer, operation)

    return act


def _lose_answer(call: Call, request: Request) -> Any:
    call(request)
    raise _LOST_CONNECTION


def _lose_answer_boto(call: Call, request: Request) -> Any:
    call(request)
    raise EndpointConnectionError(endpoint_url="injected")


def _function_error(body: bytes) -> Action:
    def act(_call: Call, _request: Request) -> Any:
        return {"FunctionError": "Unhandled", "Payload": SimpleNamespace(read=lambda: body)}

    return act


def _answer(change: Callable[[list[dict[str, Any]]], Any]) -> Action:
    """Corrupt the function's response."""

    def act(call: Call, request: Request) -> Any:
        records = orjson.loads(call(request)["Payload"].read())["records"]
        spoilt = change(records)
        body = spoilt if isinstance(spoilt, bytes) else orjson.dumps({"records": spoilt})
        return {"Payload": SimpleNamespace(read=lambda: body)}

    return act


# -- the pipe ---------------------------------------------------------------------------------


def _killed(hop: str, point: str, action: Action) -> Fault:
    def act(rig: Rig, _random: random.Random) -> None:
        worker = rig.pipe if hop == "pipe" else rig.firehose
        rig.injector.arm(point, action)
        rig.injector.wait(point)
        rig.wait_dead(worker)
        rig.start_pipe() if hop == "pipe" else rig.start_firehose()

    return act


def _met(point: str, action: Action, most: int = 3) -> Fault:
    def act(rig: Rig, random_: random.Random) -> None:
        rig.injector.arm(point, *[action] * random_.randint(1, most))
        rig.injector.wait(point)

    return act


FAULTS |= {
    "pipe killed before PutRecords": _killed("pipe", "pipe.PutRecords", _kill_before),
    "pipe killed after PutRecords": _killed("pipe", "pipe.PutRecords", _kill_after),
    "pipe killed while reading": _killed("pipe", "pipe.GetRecords", _kill_after),
    "PutRecords throttled": _met(
        "pipe.PutRecords", _refuse("ProvisionedThroughputExceededException"), most=2
    ),
    "PutRecords response lost": _met("pipe.PutRecords", _lose_answer, most=2),
    "table stream fails": _met("pipe.GetRecords", _refuse("InternalServerError", 500)),
    "table stream iterator expired": _met("pipe.GetRecords", _refuse("ExpiredIteratorException")),
}


@fault("pipe stopped and started")
def _(rig: Rig, _random: random.Random) -> None:
    rig.pipe.stop()
    rig.start_pipe()


@fault("PutRecords fails in part")
def _(rig: Rig, random_: random.Random) -> None:
    def act(call: Call, request: Request) -> Any:
        entries = request["Records"]
        refused = {n for n in range(len(entries)) if random_.random() < 0.5}
        taken = [one for n, one in enumerate(entries) if n not in refused]
        results = iter(call({**request, "Records": taken})["Records"] if taken else [])
        failed = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow"}
        return {"Records": [failed if n in refused else next(results) for n in range(len(entries))]}

    rig.injector.arm("pipe.PutRecords", *[act] * random_.randint(1, 3))
    rig.injector.wait("pipe.PutRecords")


@fault("batch duplicated and reordered")
def _(rig: Rig, random_: random.Random) -> None:
    def act(call: Call, request: Request) -> Any:
        shuffled = random_.sample(request["Records"], len(request["Records"]))
        call({**request, "Records": shuffled})
        return call(request)

    rig.injector.arm("pipe.PutRecords", act)
    rig.injector.wait("pipe.PutRecords")


@fault("poison record")
def _(rig: Rig, random_: random.Random) -> None:
    order = f"poison-{random_.getrandbits(48):012x}"
    before = rig.hops().dead_lettered

    def act(call: Call, request: Request) -> Any:
        if any(one["PartitionKey"] == order for one in request["Records"]):
            raise AwsError("ValidationException", "one of these is poison")
        return call(request)

    rig.injector.filters["pipe.PutRecords"] = act
    rig.place(order)
    try:
        rig.until(lambda: rig.hops().dead_lettered > before, "dead-lettered")
    finally:
        del rig.injector.filters["pipe.PutRecords"]


@fault("dead-letter queue unreachable")
def _(rig: Rig, random_: random.Random) -> None:
    rig.injector.arm("pipe.send_message", _refuse_boto("ServiceUnavailable", 503, "SendMessage"))
    FAULTS["poison record"](rig, random_)
    rig.injector.wait("pipe.send_message")


# -- the firehose -----------------------------------------------------------------------------

_GARBAGE: Mapping[str, Action] = {
    "not JSON": _answer(lambda _: b"\x00 this is not JSON"),
    "not an object": _answer(lambda _: b"[]"),
    "one record missing": _answer(lambda records: records[1:]),
    "unknown results": _answer(lambda records: [{**one, "result": "Fine"} for one in records]),
    "data is not base64": _answer(lambda records: [{**one, "data": "%"} for one in records]),
    "data is missing": _answer(
        lambda records: [{k: v for k, v in one.items() if k != "data"} for one in records]
    ),
    "too large": _answer(lambda _: b" " * (6 * 1024 * 1024 + 1)),
}

FAULTS |= {
    "firehose killed while reading": _killed("firehose", "firehose.GetRecords", _kill_after),
    "firehose killed before the transform": _killed("firehose", "firehose.invoke", _kill_before),
    "firehose killed after the transform": _killed("firehose", "firehose.invoke", _kill_after),
    "firehose killed before PutObject": _killed("firehose", "firehose.put_object", _kill_before),
    "firehose killed after PutObject": _killed("firehose", "firehose.put_object", _kill_after),
    "Kinesis reads throttled": _met(
        "firehose.GetRecords", _refuse("ProvisionedThroughputExceededException")
    ),
    "Kinesis iterator expired": _met("firehose.GetRecords", _refuse("ExpiredIteratorException")),
    "S3 slow down": _met("firehose.put_object", _refuse_boto("SlowDown", 503, "PutObject")),
    "S3 response lost": _met("firehose.put_object", _lose_answer_boto, most=2),
    # Four in a row exhaust Firehose's retries, so the batch ends as failed records.
    "transform throttled": _met(
        "firehose.invoke", _refuse_boto("TooManyRequestsException", 429, "Invoke"), most=5
    ),
    "transform times out": _met(
        "firehose.invoke", _function_error(b'{"errorMessage": "Task timed out"}'), most=5
    ),
    "transform crashes": _met(
        "firehose.invoke", _function_error(b'{"errorType": "MemoryError"}'), most=5
    ),
}


@fault("transform returns garbage")
def _(rig: Rig, random_: random.Random) -> None:
    rig.injector.arm("firehose.invoke", _GARBAGE[random_.choice(sorted(_GARBAGE))])
    rig.injector.wait("firehose.invoke")


@fault("garbage in the stream")
def _(rig: Rig, random_: random.Random) -> None:
    """Invalid records, which must end as failed records with their data."""
    rig.put_garbage(random_.randint(1, 5), random_.getrandbits(32))


@fault("Lambda workers killed")
def _(rig: Rig, random_: random.Random) -> None:
    rig.until(rig.lambda_processes, "a Lambda worker running")
    if random_.random() < 0.5:  # during an invocation

        def act(call: Call, request: Request) -> Any:
            for process in rig.lambda_processes():
                kill(process)
            return call(request)

        rig.injector.arm("firehose.invoke", act)
        rig.injector.wait("firehose.invoke")
    else:
        for process in rig.lambda_processes():
            kill(process)


@fault("full buffers at shutdown")
def _(rig: Rig, _random: random.Random) -> None:
    rig.firehose.stop()
    rig.start_firehose(buffer_seconds=900.0)
    holding = rig.firehose
    rig.until(lambda: len(holding._rows.items) > 5, "rows held")
    held = holding.counts.delivered
    holding.stop()
    assert holding.counts.delivered > held, "a stop must flush the buffers"
    rig.start_firehose()


@fault("an order is erased")
def _(rig: Rig, random_: random.Random) -> None:
    """From objects that Firehose writes beside it; copies that arrive later are erased at last."""
    order = f"erased-{random_.getrandbits(64):016x}"
    rig.place(order)
    rig.delete(order)
    before = rig.hops().delivered
    rig.until(lambda: rig.hops().delivered > before + 5, "delivered after the order")
    left = rig.erase(order)
    assert not left, f"still there after the erasure: {left}"


@fault("clock goes back an hour")
def _(rig: Rig, _random: random.Random) -> None:
    real = time.time
    early = SimpleNamespace(time=lambda: real() - 3600, monotonic=time.monotonic, sleep=time.sleep)
    modules: tuple[Any, ...] = (local.standins.pipe, local.standins.firehose)
    for module in modules:
        module.time = early
    try:
        before = rig.hops().objects
        rig.until(lambda: rig.hops().objects > before, "delivered with the early clock")
    finally:
        for module in modules:
            module.time = time
