"""Iceberg tables: the rows of the current snapshot, without those deleted by position."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

from operate.erasing.iceberg import Catalog
from tests.athena.lab import BUCKET, DATABASE, Lab


class _DeleteManifest(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return super()._meta | {"content": "deletes"}


class _Deletes(_FastAppendFiles):
    """A snapshot that adds a file of deletes."""

    file: DataFile

    def _existing_manifests(self) -> list[ManifestFile]:
        output, codec = self.new_manifest_output(), self._compression
        manifest = _DeleteManifest(self.spec(0), self.schema(), output, self.snapshot_id, codec)
        entry = ManifestEntry.from_args(
            status=ManifestEntryStatus.ADDED, snapshot_id=self.snapshot_id, data_file=self.file
        )
        with manifest as writer:
            writer.add(entry)
        return [*super()._existing_manifests(), manifest.to_manifest_file()]


@pytest.fixture(scope="module")
def table(lab: Lab) -> Table:
    """Two data files: a and b, and c."""
    catalog = Catalog(lab.glue, lab.s3)
    schema = pa.schema([("orderid", pa.string()), ("price", pa.decimal128(10, 2))])
    made = catalog.create_table(
        (DATABASE, "iced"), schema, f"s3://{BUCKET}/iced", properties={"format-version": "2"}
    )
    for ids in ("ab", "c"):
        rows = [{"orderid": one, "price": Decimal(1)} for one in ids]
        made.append(pa.Table.from_pylist(rows, schema))
    return made


def _delete(lab: Lab, table: Table, content: DataFileContent, columns: dict[str, Any]) -> None:
    body, place = io.BytesIO(), f"iced/data/{content.name}.parquet"
    pq.write_table(pa.table(columns), body)
    lab.s3.put_object(Bucket=BUCKET, Key=place, Body=body.getvalue())
    made = _Deletes(Operation.DELETE, Transaction(table), table.io, snapshot_properties={})
    made.file = DataFile.from_args(
        content=content,
        file_path=f"s3://{BUCKET}/{place}",
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=len(body.getvalue()),
        equality_ids=[1] if content == DataFileContent.EQUALITY_DELETES else None,
    )
    made.file.spec_id = 0
    updates, requirements = made._commit()
    table.catalog.commit_table(table, requirements, updates)
    table.refresh()


def test_rows_deleted_by_position_are_gone(lab: Lab, table: Table) -> None:
    rows = "SELECT orderid, price FROM iced ORDER BY orderid"
    assert lab.rows(rows) == [["a", "1.00"], ["b", "1.00"], ["c", "1.00"]]
    (first,) = (
        task.file.file_path for task in table.scan().plan_files() if task.file.record_count == 2
    )
    columns = {"file_path": [first], "pos": pa.array([0], pa.int64())}
    _delete(lab, table, DataFileContent.POSITION_DELETES, columns)
    assert lab.rows(rows) == [["b", "1.00"], ["c", "1.00"]]
    assert lab.rows("SELECT count(*) FROM iced") == [["2"]]
    assert lab.rows("SELECT \"$path\" FROM iced WHERE orderid = 'b'") == [[first]]


def test_the_time_of_a_file_is_refused(lab: Lab, table: Table) -> None:
    answer = lab.ask('SELECT "$file_modified_time" FROM iced')
    assert answer.reason.startswith("NOT_SUPPORTED: This local Athena does not support")


def test_rows_deleted_by_value_are_refused(lab: Lab, table: Table) -> None:
    _delete(lab, table, DataFileContent.EQUALITY_DELETES, {"orderid": ["c"]})
    answer = lab.ask("SELECT orderid FROM iced")
    assert answer.reason.startswith(
        "NOT_SUPPORTED: This local Athena does not support the table 'shop.iced':"
    )
