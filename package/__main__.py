"""The plugin that ``pulumi package add`` runs, see PulumiPlugin.yaml."""

import sys
from pathlib import Path

# A folder of its own: Pulumi runs it as a program, and the modules of components/, which would then
# be top-level ones, have names of the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from package.provider import host  # noqa: E402

if __name__ == "__main__":
    host()
