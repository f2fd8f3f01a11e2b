"""Stand-ins for what the emulator lacks: pipe, Firehose, crawler, Glue jobs.

Each acts as its deployed IAM role.
"""
