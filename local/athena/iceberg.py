"""The current files of an Iceberg table, read from its metadata as the caller.

Supports position deletes; the job that writes ``orders`` produces no other row-level deletes.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile
from pyiceberg.manifest import DataFile, DataFileContent
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable

from local.athena.catalog import Table
from local.athena.errors import QueryError
from local.athena.storage import DELETES, Object, failed, split_location


def objects(s3: Any, table: Table) -> list[Object]:
    """The data and delete files of the current snapshot."""
    location = table.properties["metadata_location"]
    files = _Reader(s3)
    try:
        metadata = FromInputFile.table_metadata(files.new_input(location))
        now = StaticTable((table.name,), metadata, location, files, NoopCatalog("none"))
        tasks = list(now.scan().plan_files())
    except ClientError as error:
        raise failed(error, location) from None
    data = [_object(task.file, ()) for task in tasks]
    deletes = {one.file_path: one for task in tasks for one in task.delete_files}
    for one in deletes.values():
        if one.content != DataFileContent.POSITION_DELETES:
            raise QueryError(
                "NOT_SUPPORTED",
                f"Table '{table.database}.{table.name}' has equality deletes; this local Athena "
                "reads deletes by position",
            )
    return data + [_object(one, DELETES) for one in deletes.values()]


def _object(file: DataFile, values: tuple[str, ...]) -> Object:
    bucket, key = split_location(file.file_path)
    # Never written twice: the path is all that the cache has to know of it.
    modified = datetime.fromtimestamp(0, UTC)
    return Object(bucket, key, "", file.file_size_in_bytes, values, modified)


class _Reader(FileIO):
    """S3 as the caller may see it, through boto3 like all else here."""

    def __init__(self, s3: Any) -> None:
        super().__init__()
        self._s3 = s3

    def new_input(self, location: str) -> InputFile:
        return _Input(location, self._s3)

    def new_output(self, location: str) -> OutputFile:
        raise NotImplementedError(f"{location}: the catalog's queries only read")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise NotImplementedError(f"{location}: the catalog's queries only read")


class _Input(InputFile):
    def __init__(self, location: str, s3: Any) -> None:
        super().__init__(location)
        self._s3 = s3

    def _body(self) -> bytes:
        bucket, key = split_location(self.location)
        return bytes(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def __len__(self) -> int:
        return len(self._body())

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - pyiceberg's signature
        return io.BytesIO(self._body())
