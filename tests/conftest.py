"""How long hypothesis searches; that Ctrl-C can be tested wherever the suite runs."""

from __future__ import annotations

import signal

from hypothesis import settings

# No deadline: a shared machine is slow at times, and that is no fault of the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("usual")

# A shell starts background jobs deaf to Ctrl-C, and what they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
