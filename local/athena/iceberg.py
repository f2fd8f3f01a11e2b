"""The current files of an Iceberg table, read from its metadata as the caller."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.manifest import DataFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable

from client.iceberg_files import IcebergFiles
from local.athena.catalog import Table
from local.athena.errors import refuse
from local.athena.storage import Object, failed, split_location


def objects(s3: Any, table: Table) -> tuple[list[Object], list[Object]]:
    """The data files of the current snapshot, and the files that delete rows by position."""
    location, files = table.properties["metadata_location"], IcebergFiles(s3)
    try:
        metadata = FromInputFile.table_metadata(files.new_input(location))
        now = StaticTable((table.name,), metadata, location, files, NoopCatalog("none"))
        tasks = list(now.scan().plan_files())
    except ClientError as error:
        raise failed(error, location) from None
    except ValueError as error:  # equality deletes, which the batch job never writes
        raise refuse(f"the table '{table.database}.{table.name}': {error}") from None
    deletes = {one.file_path: one for task in tasks for one in task.delete_files}
    return [_object(task.file) for task in tasks], [_object(one) for one in deletes.values()]


def _object(file: DataFile) -> Object:
    bucket, key = split_location(file.file_path)
    # Never written twice: the path is all that the cache has to know of it.
    modified = datetime.fromtimestamp(0, UTC)
    return Object(bucket, key, "", file.file_size_in_bytes, (), modified)
