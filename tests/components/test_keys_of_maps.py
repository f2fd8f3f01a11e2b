"""Keys of maps are data: whatever reads the rows' JSON must not put them in lower case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.catalog import Catalog, CatalogArgs
from components.delivery_to_lake import DeliveryToLake, DeliveryToLakeArgs
from schema import ORDERS, Column, Schema
from tests.components.component_support import Deploy, arn

INSENSITIVE = "case.insensitive"


def with_column(kind: str) -> Schema:
    return replace(ORDERS, columns=(*ORDERS.columns, Column(name="more", type=kind)))


WITH_A_MAP = [
    with_column("map<string,int>"),
    with_column("array<struct<a:int,prices:map<string,decimal(10,2)>>>"),
]
WITHOUT = [ORDERS, with_column("array<struct<Sku:string>>"), with_column("json")]


@pytest.mark.parametrize("schema", [*WITH_A_MAP, *WITHOUT], ids=lambda s: s.columns[-1].type)
def test_the_tables_serde_keeps_them(deploy: Deploy, schema: Schema) -> None:
    args = CatalogArgs(bucket_name="lake", bucket_arn="arn:aws:s3:::lake", schema=schema)
    deployed = deploy(lambda: Catalog("shop", args))
    projection, failed = (
        deployed.find("CatalogTable", f"shop-{name}").inputs["storageDescriptor"]["serDeInfo"]
        for name in ("projection", "failed")
    )
    assert projection["parameters"].get(INSENSITIVE) == ("FALSE" if schema in WITH_A_MAP else None)
    assert INSENSITIVE not in failed["parameters"], "Firehose names its members attemptsMade"


@pytest.mark.parametrize("schema", [*WITH_A_MAP, *WITHOUT], ids=lambda s: s.columns[-1].type)
def test_firehoses_deserializer_keeps_them(deploy: Deploy, schema: Schema) -> None:
    args = DeliveryToLakeArgs(
        kinesis_stream_arn=arn("kinesis:{region}:{account}:stream/changes"),
        delivery_format="parquet",
        schema=schema,
    )
    stream = deploy(lambda: DeliveryToLake("lake", args)).find("FirehoseDeliveryStream").inputs
    conversion = stream["extendedS3Configuration"]["dataFormatConversionConfiguration"]
    told = conversion["inputFormatConfiguration"]["deserializer"]["openXJsonSerDe"]
    assert told == ({"caseInsensitive": False} if schema in WITH_A_MAP else {})
