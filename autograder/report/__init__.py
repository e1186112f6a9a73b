"""Pure renderers: reports of graded submissions in; pages, CSV, JSON and tables for the terminal out.

Called by the commands, the command line, the review and the container on Gradescope, with marked reports.
Only `result_files` touches the disk. May import `gradebook` and everything below it.
"""
