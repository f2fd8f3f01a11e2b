"""The dashboard: a web page of the figures, which move as orders come in.

`serve` starts it, `figures` knows what to ask and how seldom, `page` and `charts` show it.
"""
