"""The account: the emulator, who may do what in it, and the program deployed into it."""
