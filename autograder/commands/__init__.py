"""Commands: one run of each command that is more than one call, from its arguments to its files; nothing here prints.

`cli` calls these functions with parsed arguments and renders what they return; progress goes out through callbacks and
iterators. May import everything except `cli`, `tools` and `tests`.
"""
