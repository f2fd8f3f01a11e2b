"""The same stack on one machine: an emulator, the real program, and what the emulator lacks."""
