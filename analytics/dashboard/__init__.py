"""The dashboard: a web page with live figures.

`serve` starts it, `figures` decides what to query and when, `page` and `charts` display it.
"""
