"""The local account: emulator, authorization, and deployment of the Pulumi program."""
