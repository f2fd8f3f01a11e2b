"""The same stack on one machine: an emulator, the real Pulumi program, and what the emulator lacks."""
