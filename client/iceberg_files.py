"""The files of Iceberg tables on S3, through boto3 like everything else."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Never

from botocore.exceptions import ClientError
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream


class IcebergFiles(FileIO):
    """S3 with the permissions of a client."""

    def __init__(self, s3: Any) -> None:
        super().__init__()
        self._s3 = s3

    def new_input(self, location: str) -> InputFile:
        """An object to read."""
        return _Input(location, self._s3)

    def new_output(self, location: str) -> OutputFile:
        """An object to write."""
        return _Output(location, self._s3)

    def delete(self, location: str | InputFile | OutputFile) -> Never:
        """Versions of objects are deleted, by whoever knows them."""
        raise NotImplementedError(f"{location}: files are deleted with their versions")


class _Input(InputFile):
    def __init__(self, location: str, s3: Any) -> None:
        super().__init__(location)
        self._s3 = s3

    def __len__(self) -> int:
        return len(self._body())

    def exists(self) -> bool:
        return _exists(self._s3, self.location)

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - pyiceberg's signature
        return io.BytesIO(self._body())

    def _body(self) -> bytes:
        return bytes(self._s3.get_object(**_place(self.location))["Body"].read())


class _Output(OutputFile):
    def __init__(self, location: str, s3: Any) -> None:
        super().__init__(location)
        self._s3 = s3
        self._written = 0

    def __len__(self) -> int:
        return self._written

    def exists(self) -> bool:
        return _exists(self._s3, self.location)

    def to_input_file(self) -> InputFile:
        return _Input(self.location, self._s3)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - names are unique
        def put(body: bytes) -> None:
            self._written = len(body)
            self._s3.put_object(**_place(self.location), Body=body)

        return _Stream(put)


class _Stream(io.BytesIO):
    """Written as one object when it is closed."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        super().__init__()
        self._put = put

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            super().close()  # not written
        self.close()

    def close(self) -> None:
        if not self.closed:
            body = self.getvalue()
            super().close()  # first, so that it is written once, whatever happens
            self._put(body)


def _place(location: str) -> dict[str, str]:
    bucket, _, key = location.partition("://")[2].partition("/")
    return {"Bucket": bucket, "Key": key}


def _exists(s3: Any, location: str) -> bool:
    try:
        s3.head_object(**_place(location))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True
