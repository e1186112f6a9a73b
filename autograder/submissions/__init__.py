"""Submissions: finding them, reading them, and the answers in them.

Called with paths or the bytes of one notebook, both untrusted; other folders also use its names of cells.
Returns frozen data; a file that cannot be read is a submission with a problem. Executes and unpacks nothing.
May import `policy`, `data` and the modules at the root.
"""
