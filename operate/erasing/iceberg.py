"""Erase rows from the batch job's Iceberg table, with every snapshot and file that holds them.

Athena's DELETE only marks rows, and its OPTIMIZE and VACUUM decide by thresholds which files go. So
this writes what Iceberg's specification asks for, in one commit: each data file with such rows
anew, manifests without the bounds of the old ones, and no older snapshot.
https://iceberg.apache.org/spec/
"""

from __future__ import annotations

import io
import logging
import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchIcebergTableError, NoSuchTableError
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
)
from pyiceberg.table import FileScanTask, Table, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import AssertTableUUID, RemoveSnapshotsUpdate
from pyiceberg.table.update.snapshot import _OverwriteFiles

from client.iceberg_files import IcebergFiles
from operate.account import Account, ReplayError
from operate.erasing.formats import BrokenError, edit_parquet
from operate.erasing.runs import Runs
from operate.erasing.store import Store, Version
from operate.erasing.subject import Subject
from operate.scanning import aws_time

STATE, FORGOTTEN = "sales-cdc.state", "sales-cdc.forgotten"
"""The batch job's snapshot properties, which the new snapshot keeps: jobs/orders_table.py."""
_ATTEMPTS = 8
_RETRY_SECONDS = 0.5

logging.getLogger("pyiceberg").setLevel(logging.ERROR)


class IcebergTable:
    """The batch job's table, if there is one.

    Parameters
    ----------
    runs:
        What may still commit to the table.
    say:
        Told what this waits for.
    stop:
        When set, nothing is waited for and nothing is begun.
    """

    def __init__(
        self,
        account: Account,
        store: Store,
        subject: Subject,
        runs: Runs,
        *,
        say: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self._store = store
        self._subject = subject
        self._runs = runs
        self._say = say
        self._stop = stop
        self._s3 = account.client("s3")
        self._name = (account["databaseName"], subject.schema.name)
        self._prefix = f"{subject.schema.name}/"
        self._catalog = Catalog(account.client("glue"), self._s3)

    def check(self) -> None:
        """Refuse a table that could not be erased from.

        Raises
        ------
        ReplayError
            It has branches or tags, or a format that this does not write.
        """
        if not (table := self._load()):
            return
        kept = sorted(name for name in table.metadata.refs if name != "main")
        if kept:
            raise ReplayError(
                f"the table {'.'.join(self._name)} has branches or tags ({', '.join(kept)}), which "
                "keep old snapshots: drop them first. Nothing was changed"
            )
        if table.metadata.format_version != 2:
            raise ReplayError(
                f"the table {'.'.join(self._name)} has Iceberg's format version "
                f"{table.metadata.format_version}, and only version 2 can be erased from. Nothing "
                "was changed"
            )

    def erase(self, held: Sequence[Version]) -> None:
        """Erase the rows that these objects under the table's prefix hold.

        Raises
        ------
        ReplayError
            Others keep changing the table.
        """
        began = aws_time(self._s3.list_objects_v2(Bucket=self._store.bucket, MaxKeys=1))
        self._runs.wait()
        keys = {one.key for one in held if one.current}
        for attempt in range(_ATTEMPTS):
            if self._stop.is_set():
                return
            try:
                if table := self._load():
                    self._commit(table, keys)
                break
            except CommitFailedException as error:
                self._say(f"the table was changed meanwhile: {error}")
                self._stop.wait(_RETRY_SECONDS * (attempt + 1))
        else:
            raise ReplayError(
                f"others changed the table {'.'.join(self._name)} first, {_ATTEMPTS} times: run "
                "this again"
            )
        self._clean_up(self._load(), began, {(one.key, one.id) for one in held})

    # -- one commit ------------------------------------------------------------------------------

    def _commit(self, table: Table, keys: Collection[str]) -> None:
        """Replace the data files among these objects, and drop all older snapshots.

        Also if there are none: what another erasure has written before and not committed by now, it
        never will, so `_clean_up` may delete it.
        """
        erase = _Erase(
            operation=Operation.OVERWRITE,
            transaction=Transaction(table),
            io=table.io,
            snapshot_properties=_properties(table),
        )
        for task in table.scan().plan_files():
            if _key(task.file.file_path) not in keys:
                continue
            new = self._without(table, task)
            if new is not None:
                erase.delete_data_file(task.file)
                for one in new:
                    erase.append_data_file(one)
        updates, requirements = erase._commit()
        older = [snapshot.snapshot_id for snapshot in table.metadata.snapshots]
        self._catalog.commit_table(
            table,
            (*requirements, AssertTableUUID(uuid=table.metadata.table_uuid)),
            (*updates, RemoveSnapshotsUpdate.model_validate({"snapshot-ids": older})),
        )

    def _without(self, table: Table, task: FileScanTask) -> list[DataFile] | None:
        """The data file without the rows, as one or no file; None if it has none of them."""
        file = task.file
        try:
            edited = edit_parquet(
                _read(table.io, file.file_path), self._subject, dropped=_deleted(table.io, task)
            )
        except BrokenError as error:
            raise ReplayError(f"{file.file_path}: {error}") from None
        if edited.body is None:
            return None
        metadata = pq.read_metadata(io.BytesIO(edited.body))
        if not metadata.num_rows:
            return []
        path = f"{file.file_path.rpartition('/')[0]}/{uuid.uuid4()}.parquet"
        with table.io.new_output(path).create() as out:
            out.write(edited.body)
        schema = table.schema()
        told = data_file_statistics_from_parquet_metadata(
            parquet_metadata=metadata,
            stats_columns=compute_statistics_plan(schema, table.metadata.properties),
            parquet_column_mapping=parquet_path_to_id_mapping(schema),
        )
        size = {"file_size_in_bytes": len(edited.body)}
        return [_like(file, file_path=path, **size, **told.to_serialized_dict())]

    # -- what is left ----------------------------------------------------------------------------

    def _clean_up(
        self, table: Table | None, began: datetime, held: Collection[tuple[str, str]]
    ) -> None:
        """Delete what the table no longer has: files from before this began, and old versions.

        Manifests hold the least and the greatest value of each column, so they go as well, and go
        first: whoever finds files with such rows still there comes here again. What is newer may be
        of a run that has not committed yet.
        """
        used = set(self._used(table)) if table else set()
        versions = self._store.versions(self._prefix)
        for version in sorted(versions, key=lambda one: (one.key, one.id) in held):
            if self._stop.is_set():
                return
            unused = version.key not in used or not version.current
            old = version.modified < began
            if unused and (old if table else (version.key, version.id) in held):
                self._store.delete(version)

    def _used(self, table: Table) -> Iterator[str]:
        """The keys of all files of the current snapshot, and of the metadata."""
        yield _key(table.metadata_location)
        yield from (_key(one.metadata_file) for one in table.metadata.metadata_log)
        statistics = [*table.metadata.statistics, *table.metadata.partition_statistics]
        yield from (_key(one.statistics_path) for one in statistics)
        for snapshot in table.metadata.snapshots:
            yield _key(snapshot.manifest_list)
            for manifest in snapshot.manifests(table.io):
                yield _key(manifest.manifest_path)
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                    yield _key(entry.data_file.file_path)

    def _load(self) -> Table | None:
        try:
            return self._catalog.load_table(self._name)
        except (NoSuchTableError, NoSuchIcebergTableError):
            return None


class _Erase(_OverwriteFiles):
    """An overwrite whose manifests hold nothing of files that are no longer in the table.

    It lists the files that it removes, so that a concurrent commit that relies on them fails, but
    without their columns' bounds.
    """

    def _build_delete_files_partition_predicate(self) -> None:
        """Every manifest is looked at."""

    def _deleted_entries(self) -> list[ManifestEntry]:
        snapshot = self._transaction.table_metadata.current_snapshot()
        found = [
            ManifestEntry.from_args(
                status=ManifestEntryStatus.DELETED,
                snapshot_id=self.snapshot_id,
                sequence_number=entry.sequence_number,
                file_sequence_number=entry.file_sequence_number,
                data_file=_like(entry.data_file),
            )
            for manifest in (snapshot.manifests(self._io) if snapshot else [])
            if manifest.content == ManifestContent.DATA
            for entry in manifest.fetch_manifest_entry(self._io, discard_deleted=True)
            if entry.data_file in self._deleted_data_files
        ]
        self._validate_required_deletes(found)
        return found

    def _existing_manifests(self) -> list[ManifestFile]:
        snapshot = self._transaction.table_metadata.current_snapshot()
        kept = []
        for manifest in snapshot.manifests(self._io) if snapshot else []:
            if not (manifest.has_added_files() or manifest.has_existing_files()):
                continue
            if manifest.content != ManifestContent.DATA:
                kept.append(manifest)  # position deletes: no values
                continue
            entries = manifest.fetch_manifest_entry(self._io, discard_deleted=True)
            live = [one for one in entries if one.data_file not in self._deleted_data_files]
            if len(live) == len(entries) and not manifest.deleted_files_count:
                kept.append(manifest)
            elif live:
                with self.new_manifest_writer(self.spec(manifest.partition_spec_id)) as writer:
                    for entry in live:
                        writer.existing(entry)
                kept.append(writer.to_manifest_file())
        return kept


def _like(file: DataFile, **given: Any) -> DataFile:
    """A description of a data file without its columns' values, but what is given."""
    same = ("content", "file_path", "file_format", "partition", "record_count", "sort_order_id")
    known = {name: getattr(file, name) for name in (*same, "file_size_in_bytes")}
    made = DataFile.from_args(**known | given)
    made.spec_id = file.spec_id
    return made


def _properties(table: Table) -> dict[str, str]:
    """What the batch job has noted in the table's snapshots, as it looks for it."""
    found: dict[str, str] = {}
    at = table.metadata.current_snapshot()
    while at is not None and STATE not in found:
        told: Mapping[str, str] = at.summary.additional_properties if at.summary else {}
        if forgotten := max(filter(None, (found.get(FORGOTTEN), told.get(FORGOTTEN))), default=""):
            found[FORGOTTEN] = forgotten
        if state := told.get(STATE):
            found[STATE] = state
        parent = at.parent_snapshot_id
        at = None if parent is None else table.metadata.snapshot_by_id(parent)
    return found


def _deleted(files: FileIO, task: FileScanTask) -> list[int]:
    """The places of the rows that position deletes have removed from a data file.

    Raises
    ------
    ReplayError
        It has deletes of another kind.
    """
    places: list[int] = []
    for file in task.delete_files:
        if file.content != DataFileContent.POSITION_DELETES:
            raise ReplayError(
                f"{file.file_path} deletes rows by value, which the batch job never does: remove "
                "it by compacting the table"
            )
        rows = pq.read_table(
            io.BytesIO(_read(files, file.file_path)),
            filters=[("file_path", "=", task.file.file_path)],
        )
        places += rows.column("pos").to_pylist()
    return places


def _key(location: str) -> str:
    """The key in ``s3://bucket/key``."""
    return location.partition("://")[2].partition("/")[2]


class Catalog(GlueCatalog):
    """Glue's catalog, and files through the same clients as everything else."""

    def __init__(self, glue: Any, s3: Any) -> None:
        super().__init__("lake", client=glue, **{"glue.skip-archive": "true"})
        self._files = IcebergFiles(s3)

    def _load_file_io(self, *_: Any, **__: Any) -> FileIO:
        return self._files

    def _is_s3tables_database(self, database_name: str) -> bool:  # noqa: ARG002 - pyiceberg's
        return False


def _read(files: FileIO, location: str) -> bytes:
    with files.new_input(location).open() as stream:
        return bytes(stream.read())
