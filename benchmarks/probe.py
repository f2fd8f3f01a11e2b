"""Measures one cold start in its own process: python probe.py FOLDER MODULE EVENT.

FOLDER contains MODULE, whose ``handler`` gets the JSON of the file EVENT. Prints as JSON the import
time and the peak memory, with the response serialized as Lambda's runtime does.
"""

import json
import logging  # noqa: F401 - like json, Lambda's runtime loads it before the function
import re
import resource
import sys
import time
from importlib import import_module
from pathlib import Path


def peak_mb() -> float:
    """This process's peak memory."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would include the parent process's peak
        kilobytes = re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]  # type: ignore[index]
    else:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(kilobytes) / 1024


if __name__ == "__main__":
    folder, module, event = sys.argv[1:]
    sys.path.insert(0, folder)
    start = time.perf_counter()
    handler = import_module(module).handler
    milliseconds = (time.perf_counter() - start) * 1000
    text = Path(event).read_text()
    started = time.perf_counter()
    answer = json.dumps(handler(json.loads(text), None))
    invoked = (time.perf_counter() - started) * 1000
    figures = {"import_ms": milliseconds, "invoke_ms": invoked, "peak_mb": peak_mb()}
    sys.stdout.write(f"\n{json.dumps(figures | {'answer_bytes': len(answer)})}\n")
