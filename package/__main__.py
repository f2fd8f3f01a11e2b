"""The plugin that ``pulumi package add`` runs; see PulumiPlugin.yaml."""

import sys
from pathlib import Path

# Pulumi runs this folder as a program and puts it on the module path. In components/, modules would
# shadow those of the standard library.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from package.provider import host  # noqa: E402

if __name__ == "__main__":
    host()
