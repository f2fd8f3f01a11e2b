"""Common definitions of Glue tables over the lake's files."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.arguments import limits
from schema import Column, types

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
    parameters = {"serialization.format": "1"}
    if not parquet and have_maps(of):
        parameters["case.insensitive"] = "FALSE"
    return aws.glue.CatalogTableStorageDescriptorArgs(
        columns=columns(of),
        location=location,
        input_format=_PARQUET if parquet else _TEXT,
        output_format=_PARQUET_OUT if parquet else _TEXT_OUT,
        ser_de_info=aws.glue.CatalogTableStorageDescriptorSerDeInfoArgs(
            serialization_library=_PARQUET_SERDE if parquet else _JSON_SERDE,
            parameters=parameters,
        ),
    )


def have_maps(columns: Sequence[Column]) -> bool:
    """Whether keys of the rows' JSON are data.

    Then the OpenX SerDe must not put keys in lower case, which is its default: ``Red`` would become
    ``red``, and a map with both could not be read. The names in event rows are lower-case anyway.
    """
    return any(_has_map(column.parsed) for column in columns)


def _has_map(type_: types.Type) -> bool:
    match type_:
        case types.Array(of):
            return _has_map(of)
        case types.Struct(fields):
            return any(_has_map(of) for _, of in fields)
    return isinstance(type_, types.Map)
