"""Everything that is stored about a class: results, answers, marks, rubrics, requests, in one database.

Called by the engine, which stores results, and by the commands and the review, with a policy and grade reports.
`gradebook.py` has the results, `stores.py` all that reviewers read and write; `tables.py` has the database's tables.
May import lms, judge, submissions and policy. It runs no student code and renders nothing.
"""
