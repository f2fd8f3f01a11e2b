"""The bucket: every object and every version of it, read, replaced or deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

_KEPT = (
    "BucketKeyEnabled",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "WebsiteRedirectLocation",
)
"""What an object that is written again keeps besides its content."""
_CHANGED = (404, 409, 412)
"""S3's answers when an object is not the one that was read: gone, being written, or another one."""


@dataclass(frozen=True)
class Version:
    """One version of an object; in a bucket without versions, the object."""

    key: str
    id: str
    current: bool
    size: int
    modified: datetime


@dataclass(frozen=True)
class Content:
    """What a version holds, and how it is stored."""

    body: bytes
    etag: str
    stored: Mapping[str, Any]


class Store:
    """A bucket. Threads may share it."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def versions(self, prefix: str = "") -> Iterator[Version]:
        """All versions with data under a prefix, a page at a time."""
        pages = self._s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
            for one in page.get("Versions", []):
                yield Version(
                    one["Key"], one["VersionId"], one["IsLatest"], one["Size"], one["LastModified"]
                )

    def read(self, version: Version) -> Content | None:
        """A version's content; None if it is gone."""
        try:
            answer = self._s3.get_object(Bucket=self.bucket, Key=version.key, VersionId=version.id)
            body = answer["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion"):
                return None
            raise
        return Content(body, answer["ETag"], {k: answer[k] for k in _KEPT if answer.get(k)})

    def replace(self, version: Version, before: Content, body: bytes) -> bool:
        """Write a current version anew and delete the old one; False if it changed meanwhile.

        A reader gets the object as it was or as it is now, whole: S3 is strongly consistent.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            answer = self._s3.put_object(
                Bucket=self.bucket,
                Key=version.key,
                Body=body,
                IfMatch=before.etag,
                **before.stored,
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in _CHANGED:
                return False
            raise
        if answer.get("VersionId", version.id) != version.id:
            self.delete(version)
        return True

    def delete(self, version: Version) -> None:
        """Delete a version for good; nothing happens if it is gone."""
        self._s3.delete_object(Bucket=self.bucket, Key=version.key, VersionId=version.id)

    def write(self, key: str, body: bytes) -> Version:
        """Write an object of this command's own."""
        answer = self._s3.put_object(
            Bucket=self.bucket, Key=key, Body=body, ContentType="application/json"
        )
        when = datetime.now().astimezone()
        return Version(key, answer.get("VersionId", "null"), True, len(body), when)
