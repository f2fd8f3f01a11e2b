"""Schema files: what is read, and that every problem is told with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import ORDERS, Column, Schema, SchemaError
from schema.files import dump, load

GOOD = """\
name: carts
key: cartid
sort_key: line
columns:
  - name: cartid
    attribute: cartId
    type: string
    required: true
  - name: line
    type: int
  - {name: items, type: "array<struct<sku:string,price:decimal(10,2)>>", comment: what is in it}
"""


def file(folder: Path, text: str, name: str = "schema.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems(folder: Path, text: str) -> list[str]:
    path = file(folder, text)
    with pytest.raises(SchemaError) as refused:
        load(path)
    return str(refused.value).replace(f"{path}:", "").splitlines()


def test_a_yaml_file_is_a_schema(tmp_path: Path) -> None:
    schema = load(file(tmp_path, GOOD))
    assert (schema.name, schema.keys, schema.key_attributes) == (
        "carts",
        ("cartid", "line"),
        ("cartId", "line"),
    )
    assert schema["cartid"].required
    assert schema["items"].hive == "array<struct<sku:string,price:decimal(10,2)>>"


def test_a_json_file_is_one_too(tmp_path: Path) -> None:
    document = {"name": "carts", "key": "id", "columns": [{"name": "id", "type": "string"}]}
    schema = load(file(tmp_path, json.dumps(document, indent=2), "schema.json"))
    assert schema == Schema(name="carts", key="id", columns=(Column(name="id", type="string"),))


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD.replace("cartId", "line").replace("line\n    type: int", "day\n    type: integer")
    assert problems(tmp_path, text.replace("key: cartid", "key: items", 1)) == [
        "2: key 'items': DynamoDB has no key of type array<struct<sku:string,price:decimal(10,2)>>",
        "3: key 'line': not among the columns",
        "9: column 'day': the event row uses that name",
        "10: column 'day': unknown type 'integer' (known: string, int, bigint, double, boolean, "
        "date, timestamp, binary, json, decimal(p,s), array<...>, map<string,...>, "
        "struct<name:type,...>)",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: a schema is a mapping with name, key, sort_key, columns"),
        ("- a", "1: a schema is a mapping with name, key, sort_key, columns"),
        ("a: [", "not YAML or JSON"),
        ("a: \t- b: c: d", "not YAML or JSON"),
        (GOOD.replace("name: carts\n", ""), "1: name: missing; a schema needs it"),
        (GOOD.replace("key: cartid\n", "", 1), "1: key: missing; a schema needs it"),
        ("name: a\nkey: b\ncolumns: []", "3: columns: must be a list of columns"),
        (GOOD.replace("carts", "no"), "1: name: YAML reads 'no' as bool; put it in quotes"),
        (GOOD + "keys: a", "12: keys: a schema has no such part; did you mean key?"),
        (GOOD + "key: a", "12: key: given twice"),
        (GOOD.replace("required: true", "required: 1"), "8: required: must be true or false"),
        (GOOD.replace("type: int", "type: int\n    personal: yes"), "11: personal: must be true"),
        (GOOD.replace("required: true", "privacy: hash"), "8: column 'cartid': a key identifies"),
        (GOOD.replace("type: int", "type: int\n    privacy: drop"), "11: column 'line': a key"),
        (GOOD.replace("comment: what is in it", "privacy: hash"), "only a string can be hashed"),
        (GOOD.replace("comment: what is in it", "privacy: gone"), "privacy is keep, hash, drop"),
        (GOOD.replace("type: int", "typ: int"), "10: typ: a column has no such part"),
        (GOOD.replace("type: int", "type: [int]"), "10: type: must be text"),
        (GOOD.replace("- name: line", "- nam: line"), "9: name: missing; a column needs it"),
    ],
)
def test_what_is_wrong_is_told_in_words(text: str, told: str, tmp_path: Path) -> None:
    assert any(told in one for one in problems(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"none\.yaml: No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match="bytes: not UTF-8 text"):
        load(tmp_path / "bytes")
    with pytest.raises(SchemaError, match="nested too deeply"):
        load(file(tmp_path, "[" * 5000))


@given(st.text(max_size=200))
def test_any_text_is_a_schema_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(SchemaError):
        load(path)


@given(name=st.text(min_size=1, max_size=30), comment=st.text(max_size=30))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, name: str, comment: str
) -> None:
    if not name.isprintable() or not (comment or "x").isprintable():
        return
    odd = Column(
        name="odd", attribute=name, type="map<string,json>", comment=comment, privacy="drop"
    )
    schema = Schema(name="no", key="orderid", columns=(*ORDERS.columns, odd))
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(dump(schema, {"odd": "seen in 3 of 4 items\nlooks personal"}), encoding="utf-8")
    assert load(path) == schema
