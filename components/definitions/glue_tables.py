"""Common definitions of Glue tables over the lake's files."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.arguments import limits
from schema import Column

_TEXT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
_PARQUET_OUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
_PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def columns(of: Sequence[Column]) -> list[aws.glue.CatalogTableStorageDescriptorColumnArgs]:
    """A schema's columns as Glue columns."""
    return [
        aws.glue.CatalogTableStorageDescriptorColumnArgs(
            name=column.name, type=column.hive, comment=column.comment or None
        )
        for column in of
    ]


def storage(
    of: Sequence[Column], location: pulumi.Input[str], data_format: limits.DeliveryFormat
) -> aws.glue.CatalogTableStorageDescriptorArgs:
    """The storage descriptor for ``data_format``: JSON lines or Parquet."""
    parquet = data_format == "parquet"
    return aws.glue.CatalogTableStorageDescriptorArgs(
        columns=columns(of),
        location=location,
        input_format=_PARQUET if parquet else _TEXT,
        output_format=_PARQUET_OUT if parquet else _TEXT_OUT,
        ser_de_info=aws.glue.CatalogTableStorageDescriptorSerDeInfoArgs(
            serialization_library=_PARQUET_SERDE if parquet else _JSON_SERDE,
            parameters={"serialization.format": "1"},
        ),
    )
