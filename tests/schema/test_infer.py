"""What is proposed for items, and that the transform takes every item under the proposal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import Schema
from schema.commands.check import compare
from schema.commands.infer import Proposal, infer
from schema.files import dump, load


def proposed(*values: Any, attribute: str = "a") -> Proposal:
    """The proposal for an attribute that has each value in one item."""
    items = [{"id": {"S": str(n)}, attribute: value} for n, value in enumerate(values)]
    _, proposals = infer(items, name="things", key="id")
    return next(one for one in proposals if one.column.attribute == attribute)


def type_of(*values: Any, attribute: str = "a") -> str:
    return proposed(*values, attribute=attribute).column.type


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([{"S": "x"}, {"S": "2026-11-21"}], "string"),
        ([{"S": "2026-11-21"}], "date"),
        ([{"S": "2026-11-21T10:00:00Z"}, {"S": "2026-11-21T10:00:00.123+02:00"}], "timestamp"),
        ([{"S": "2026-02-30T10:00:00Z"}], "string"),
        ([{"N": "1"}, {"N": "-2147483648"}], "int"),
        ([{"N": "2147483648"}], "bigint"),
        ([{"N": "9223372036854775808"}], "decimal(19,0)"),
        ([{"N": "19.99"}, {"N": "1"}], "decimal(10,2)"),
        ([{"N": "123456789.123"}], "decimal(12,3)"),
        ([{"N": "0.001"}, {"N": "1E+3"}], "decimal(10,3)"),
        ([{"N": "1E+100"}, {"N": "0.5"}], "json"),
        ([{"BOOL": True}, {"NULL": True}], "boolean"),
        ([{"B": "YQ=="}], "binary"),
        ([{"NULL": True}], "json"),
        ([{"S": "1"}, {"N": "1"}], "json"),
        ([{"SS": ["a"]}, {"L": [{"S": "b"}]}], "array<string>"),
        ([{"NS": ["1", "2.5"]}], "array<decimal(10,1)>"),
        ([{"L": []}], "json"),
        ([{"L": [{"S": "a"}, {"N": "1"}]}], "array<json>"),
        ([{"M": {}}], "json"),
        (
            [{"M": {"zipCode": {"S": "1"}}}, {"M": {"n": {"N": "1"}}}],
            "struct<n:int,zipCode:string>",
        ),
        ([{"M": {"first name": {"N": "1"}}}], "map<string,int>"),
        ([{"M": {"a": {"N": "1"}, "A": {"N": "2"}}}], "map<string,int>"),
        ([{"M": {f"k{n}": {"N": "1"}}} for n in range(60)], "map<string,int>"),
        (
            [{"M": {f"k{n}": {"N": "1"} for n in range(20)}}],
            "struct<"
            + ",".join(f"{name}:int" for name in sorted(f"k{n}" for n in range(20)))
            + ">",
        ),
        ([{"M": {f"k{n}": {"S": "1"}}} for n in range(1_000)], "map<string,string>"),
        (
            [
                {
                    "L": [
                        {"M": {"sku": {"S": "a"}, "price": {"N": "1.5"}}},
                        {"M": {"sku": {"S": "b"}}},
                    ]
                }
            ],
            "array<struct<price:decimal(10,1),sku:string>>",
        ),
    ],
)
def test_a_type_is_as_narrow_as_the_values_allow(values: list[Any], kind: str) -> None:
    assert type_of(*values) == kind


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [("created_at", "timestamp"), ("createdAt", "timestamp"), ("ttl", "timestamp"), ("n", "int")],
)
def test_epoch_seconds_are_told_by_the_name(attribute: str, kind: str) -> None:
    assert type_of({"N": "1790000000"}, {"N": "1700000000"}, attribute=attribute) == kind


def test_a_proposal_says_what_to_look_at() -> None:
    address = {"M": {"street": {"S": "High St 1"}, "floor": {"N": "1"}}}
    one = proposed(address, {"M": {"street": {"N": "2"}}}, attribute="shipTo")
    assert (one.column.name, one.share) == ("shipto", 1.0)
    assert one.conflicts == ("shipTo.street",)
    assert one.personal == (("shipTo.street", "an address"),)
    mail = proposed({"S": "ada@example.com"}, {"S": "bob@example.org"}, attribute="login")
    assert mail.personal == (("login", "an e-mail address"),)
    assert proposed({"S": "Lamp"}, attribute="product_name").personal == ()


def test_names_that_glue_or_the_event_row_cannot_have_are_changed() -> None:
    names = ("orderId", "event_type", "2nd", "a-b", "a.b", "Day")
    item = {name: {"S": "x"} for name in names}
    schema, _ = infer([item], name="things", key="orderId")
    assert {column.attribute: column.name for column in schema.columns} == {
        "orderId": "orderid",
        "event_type": "item_event_type",
        "2nd": "_2nd",
        "a-b": "a_b",
        "a.b": "item_a_b",
        "Day": "item_day",
    }


def test_keys_come_first_and_are_required() -> None:
    items = [
        {"z": {"N": "1"}, "at": {"S": "a"}, "often": {"S": "b"}},
        {"z": {"N": "2"}, "at": {"S": "a"}},
    ]
    schema, _ = infer(items, name="things", key="z", sort_key="at")
    assert [(one.name, one.required) for one in schema.columns] == [
        ("z", True),
        ("at", True),
        ("often", False),
    ]
    assert schema.keys == ("z", "at")


numbers = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=3
)
scalars = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=5)),
    st.builds(lambda number: {"N": f"{number:f}"}, numbers),
    st.builds(lambda yes: {"BOOL": yes}, st.booleans()),
    st.just({"NULL": True}),
    st.just({"B": "YQ=="}),
    st.builds(
        lambda texts: {"SS": sorted(texts)}, st.sets(st.text(max_size=3), min_size=1, max_size=3)
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda many: {"L": many}, st.lists(inner, max_size=3)),
        st.builds(
            lambda members: {"M": members},
            st.dictionaries(st.sampled_from(["a", "A", "b", "x y", "zipCode"]), inner, max_size=3),
        ),
    ),
    max_leaves=6,
)
items_strategy = st.lists(
    st.dictionaries(st.sampled_from(["p", "q", "Q", "day", "é"]), values, max_size=3),
    min_size=1,
    max_size=5,
)


@given(items_strategy)
def test_the_transform_takes_every_item_of_the_sample(
    tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]]
) -> None:
    found = [{"id": {"S": str(number)}, **item} for number, item in enumerate(items)]
    schema, proposals = infer(found, name="things", key="id")
    compared = compare(schema, found)
    assert (compared.rejected, compared.unknown, compared.unseen) == ({}, {}, [])
    path = tmp_path_factory.getbasetemp() / "inferred.yaml"
    notes = {one.column.name: one.notes for one in proposals}
    path.write_text(dump(schema, notes), encoding="utf-8")
    assert load(path) == schema
    assert isinstance(schema, Schema)
