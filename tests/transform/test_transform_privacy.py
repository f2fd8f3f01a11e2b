"""What the lake may not hold leaves the transform as NULL or as a pseudonym."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import rows
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from components.archives import functions
from components.archives.lambda_zip import Platform
from operate import changes
from operate import values as canonical
from schema import ORDERS, Column, Schema
from tests.events import decode, firehose, load
from tests.transform.nested import CARTS, carts
from tests.transform.test_transform_handler import invoke
from tests.transform.test_transform_properties import (
    KEY,
    NARROW,
    PRIVATE,
    PSEUDONYM,
    assert_paths_agree,
    change_of,
    compiled,
    items,
    paths,
    read,
    with_privacy,
)

CART_PRIVATE = with_privacy(
    replace(CARTS, columns=(*CARTS.columns, Column(name="owner", type="string", privacy="hash"))),
    owner="hash",
    shipto="drop",
    raw="drop",
)
CART_NARROW = replace(CART_PRIVATE, unknown_attributes="drop")


def line_of(schema: Schema, change: Any) -> bytes:
    return orjson.dumps(compiled(schema)(change))


def row_of(schema: Schema, change: Any) -> dict[str, Any]:
    found: dict[str, Any] = read(line_of(schema, change))
    return found


def pseudonym(text: str | None) -> str | None:
    """What the docs say that a pseudonym is."""
    if text is None:
        return None
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


owned_carts = st.builds(
    lambda cart, owner: cart | owner,
    carts(),
    st.fixed_dictionaries({}, optional={"owner": st.none() | st.text("aé", max_size=3)}),
)
kinds = st.sampled_from(["INSERT", "MODIFY", "REMOVE"])


@pytest.mark.parametrize("event", ["insert", "modify", "remove", "ttl_delete"])
def test_rows_of_every_image_hold_a_pseudonym_and_null(event: str) -> None:
    kept = row_of(ORDERS, load(event))
    row = row_of(PRIVATE, load(event))
    assert list(row) == list(kept)
    assert row == kept | {"customer": pseudonym("Zoë O'Brien"), "price": None}


@pytest.mark.parametrize("event", ["new_image_only_remove", "keys_only_modify"])
def test_rows_of_keys_alone_are_as_before(event: str) -> None:
    assert row_of(NARROW, load(event)) == row_of(ORDERS, load(event))


@given(items, kinds)
def test_a_row_differs_in_nothing_but_what_is_private(item: dict[str, Any], kind: str) -> None:
    change = change_of(item, kind)
    kept = row_of(ORDERS, change)
    private = kept | {"customer": pseudonym(kept["customer"]), "price": None}
    assert row_of(PRIVATE, change) == private
    assert row_of(NARROW, change) == private | {"extras": None}


@given(owned_carts, kinds)
def test_nothing_of_a_dropped_column_or_unknown_member_is_left(
    cart: dict[str, Any], kind: str
) -> None:
    change = change_of(cart, kind, CART_PRIVATE)
    kept = row_of(with_privacy(CART_PRIVATE), change)
    row = row_of(CART_PRIVATE, change)
    extras = {
        name: value
        for name, value in (read(kept["extras"]) if kept["extras"] else {}).items()
        if not name.startswith(("shipTo.", "shipTo["))
    }
    assert (read(row["extras"]) if row["extras"] else {}) == extras
    hidden = {"owner": pseudonym(kept["owner"]), "shipto": None, "raw": None}
    assert row | {"extras": None} == kept | hidden | {"extras": None}
    assert row_of(CART_NARROW, change) == row | {"extras": None}


@given(owned_carts, kinds)
def test_the_straight_code_agrees_on_nested_columns(cart: dict[str, Any], kind: str) -> None:
    for schema in (CART_PRIVATE, CART_NARROW):
        assert_paths_agree(change_of(cart, kind, schema), schema)


def test_a_whole_order_takes_the_straight_code() -> None:
    change = load("insert")
    for schema in (PRIVATE, NARROW):
        straight, _ = paths(schema)
        assert straight(change)["customer"] == pseudonym("Zoë O'Brien")
    change["dynamodb"]["NewImage"]["unknown"] = {"S": "x"}
    assert straight(change)["extras"] is None


@given(owned_carts, kinds)
def test_verify_expects_what_the_transform_writes(cart: dict[str, Any], kind: str) -> None:
    typed = {name: TypeSerializer().serialize(value) for name, value in cart.items()}
    for schema in (CART_PRIVATE, CART_NARROW):
        change = change_of(cart, kind, schema)
        row = compiled(schema)(change)
        texts = {
            name: value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
            for name, value in row.items()
        }
        expected = canonical.of_item(schema, typed, PSEUDONYM)
        assert canonical.of_row(schema, texts) == expected


@given(owned_carts, kinds)
def test_a_row_made_a_change_again_is_not_hashed_twice(cart: dict[str, Any], kind: str) -> None:
    for schema in (CART_PRIVATE, CART_NARROW):
        line = line_of(schema, change_of(cart, kind, schema))
        again = changes.from_row(line, schema)
        assert again is not None
        assert row_of(schema, json.loads(again)) == read(line)


def test_a_row_from_before_the_column_was_private_is_made_private() -> None:
    again = changes.from_row(line_of(ORDERS, load("insert")), PRIVATE)
    assert again is not None
    assert row_of(PRIVATE, json.loads(again)) == row_of(PRIVATE, load("insert"))


def test_a_dropped_value_is_not_even_checked() -> None:
    change = load("insert")
    change["dynamodb"]["NewImage"]["price"] = {"S": "not a price"}
    assert row_of(PRIVATE, change)["price"] is None


@pytest.mark.parametrize("value", [{"N": "471147114711"}, {"L": [{"S": "Zoë"}]}, {"S": 7}, {}, "x"])
def test_why_a_private_value_was_refused_does_not_tell_it(value: Any) -> None:
    change = load("insert")
    change["dynamodb"]["NewImage"]["customer"] = value
    with pytest.raises(rows.RecordError) as refused:
        row_of(PRIVATE, change)
    assert "4711" not in str(refused.value)
    assert "Zoë" not in str(refused.value)


def test_a_key_is_needed() -> None:
    with pytest.raises(ValueError, match="column customer: hashed, but there is no key"):
        rows.compile_schema(json.loads(PRIVATE.to_json()))


@contextmanager
def secrets_manager(asked: list[Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.headers["X-Amz-Target"], body))
            answer = json.dumps({"SecretString": KEY}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_deployed_function_reads_its_key_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(functions.transform(PRIVATE, Platform.host())) as package:
        package.extractall(tmp_path)
    asked: list[Any] = []
    with secrets_manager(asked) as endpoint:
        answers, _ = invoke(
            tmp_path,
            firehose(load("insert"), load("remove")),
            AWS_ENDPOINT_URL_SECRETS_MANAGER=endpoint,
            AWS_ACCESS_KEY_ID="a",
            AWS_SECRET_ACCESS_KEY="b",
            AWS_DEFAULT_REGION="us-east-1",
            PSEUDONYM_KEY="arn:of:the:key",
        )
    assert asked == [("secretsmanager.GetSecretValue", {"SecretId": "arn:of:the:key"})]
    found = [json.loads(decode(one))["customer"] for one in answers]
    assert found == [pseudonym("Zoë O'Brien")] * 2


def test_without_a_hashed_column_nothing_is_imported_for_it(package_folder: Path) -> None:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import handler; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(package_folder)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert not {"boto3", "botocore", "hmac", "hashlib"} & {*done.stdout.split()}
