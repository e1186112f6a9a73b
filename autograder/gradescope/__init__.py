"""The code that runs in the container of Gradescope and `otter grade`, for one submission at a time.

`run_autograder` starts it with the folder that Gradescope lays out; it writes results.json there. May import report/
and everything below it.
"""
