"""How long hypothesis searches."""

from __future__ import annotations

from hypothesis import settings

# No deadline: a shared machine is slow at times, and that is no fault of the code.
settings.register_profile("usual", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2_000)
settings.load_profile("usual")
