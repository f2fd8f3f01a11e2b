"""Schemas and items with nested columns, for property tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary
from hypothesis import strategies as st

from schema import Column, Schema, types

CARTS = Schema(
    name="carts",
    key="cartid",
    columns=(
        Column(name="cartid", attribute="cartId", type="string", required=True),
        Column(name="tags", type="array<string>"),
        Column(name="sizes", type="array<decimal(38,3)>"),
        Column(name="photos", type="array<binary>"),
        Column(
            name="items",
            attribute="Items",
            type="array<struct<sku:string,unitPrice:decimal(10,2),count:int,gifts:array<json>>>",
        ),
        Column(
            name="shipto",
            attribute="shipTo",
            type="struct<city:string,at:timestamp,day:date,geo:struct<lat:double,lon:double>>",
        ),
        Column(name="prices", type="map<string,struct<amount:decimal(20,4),big:bigint>>"),
        Column(name="flags", type="map<string,boolean>"),
        Column(name="other", type="json"),
        Column(name="raw", type="binary"),
    ),
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.sampled_from(["geo", "color", "a.b", 'q"x', "unitprice", "items[0]", ""]) | texts
numbers = st.builds(
    lambda whole, places: Decimal(whole).scaleb(-places),
    st.integers(-(10**30), 10**30),
    st.integers(0, 30),
)
anything = st.recursive(
    st.one_of(
        texts,
        numbers,
        st.booleans(),
        st.none(),
        st.binary(max_size=4).map(Binary),
        st.sets(texts, min_size=1, max_size=3),
        st.sets(numbers, min_size=1, max_size=3),
        st.sets(st.binary(max_size=3).map(Binary), min_size=1, max_size=3),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": texts,
    "int": st.integers(-(2**31), 2**31 - 1).map(Decimal),
    "bigint": st.integers(-(2**63), 2**63 - 1).map(Decimal),
    "double": st.builds(
        lambda digits, power: Decimal(digits).scaleb(power),
        st.integers(-(10**15), 10**15),
        st.integers(-100, 100),
    ),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "timestamp": st.datetimes(datetime(1971, 1, 1), datetime(2900, 1, 1)).map(
        lambda one: (
            one.replace(microsecond=one.microsecond // 1000 * 1000, tzinfo=UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
    ),
    "binary": st.binary(max_size=4).map(Binary),
    "json": anything,
}


def values(type_: types.Type, extra: bool) -> st.SearchStrategy[Any]:
    """Values that the type holds; with ``extra``, structs may have members it does not declare."""
    match type_:
        case types.Scalar(name):
            return _SCALARS[name]
        case types.Decimal(precision, scale):
            most = 10 ** min(precision, 28) - 1
            return st.integers(-most, most).map(lambda one: Decimal(one).scaleb(-scale))
        case types.Map(of):
            return st.dictionaries(names, st.none() | values(of, extra), max_size=3)
        case types.Array(of):
            found = st.lists(st.none() | values(of, extra), max_size=3)
            if of in (types.Scalar("string"), types.Scalar("binary")) or isinstance(
                of, types.Decimal
            ):
                found |= st.sets(values(of, extra), min_size=1, max_size=3)
            return found
        case types.Struct(fields):
            declared = {name: st.none() | values(of, extra) for name, of in fields}
            known = st.fixed_dictionaries({}, optional=declared)
            if not extra:
                return known
            others = st.dictionaries(names.filter(lambda n: n not in declared), anything)
            return st.builds(lambda some, more: {**more, **some}, known, others)
    raise AssertionError(type_)


def carts(*, extra: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Items of `CARTS`, as boto3's resources have them."""
    key, *rest = CARTS.columns
    known = st.fixed_dictionaries(
        {key.attribute: st.text(st.characters(exclude_categories=["Cs"]), min_size=1)},
        optional={c.attribute: st.none() | values(c.parsed, extra) for c in rest},
    )
    if not extra:
        return known
    declared = {c.attribute for c in CARTS.columns}
    tops = names | st.sampled_from(["shipTo.geo", "Items[0].color", '["shipTo.geo"]', "utm.source"])
    others = st.dictionaries(tops.filter(lambda n: n and n not in declared), anything, max_size=3)
    return st.builds(lambda some, more: {**more, **some}, known, others)
