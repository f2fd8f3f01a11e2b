"""Write what a table held before its stream began into the log, as rows of type SNAPSHOT."""

from operate.snapshot.taking import OUTPUTS, Outcome, Snapshot

__all__ = ["OUTPUTS", "Outcome", "Snapshot"]
