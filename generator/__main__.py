"""`python -m generator`: see `generator.cli`."""

import os
import signal

if __name__ == "__main__":
    # Before the slow imports: until writing begins, Ctrl-C has nothing to clean up.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

    from generator.cli import app

    app(prog_name="python -m generator")
