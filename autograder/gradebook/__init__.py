"""Everything that is stored about a class: results, answers, marks, rubrics, requests, in one database.

The engine stores results in it; the commands, the reports and the review read and write it with a policy and grade
reports. `gradebook.py` has the results, `stores.py` all that reviewers read and write; `tables.py` has the database's
tables. May import lms, judge, submissions and policy. It runs no student code and renders nothing.
"""
