"""A discrete-event simulation of the chain with AWS's limits: ``python -m simulation``.

It moves batches, not single changes, and treats equal shards as one wide lane beside the lane of a
hot key, so that an hour at 100,000 changes a second takes seconds.
"""
