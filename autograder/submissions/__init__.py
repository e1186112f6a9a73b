"""Submissions: finding them, reading them, and the answers in them.

Called by `commands`, `engine`, `gradescope` and `cli` with paths or the bytes of one notebook, both untrusted.
Returns frozen data; a file that cannot be read is a submission with a problem. Executes and unpacks nothing.
May import `policy`, `errors` and `text`.
"""
