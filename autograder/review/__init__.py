"""The web app in which people mark the written answers.

`cli` opens it through `class_review` and `serve`, with the folder or database of a graded class.
Browsers reach it through `gate`, which trusts no request.
May import `report`, `gradebook`, `lms`, `judge.grade_report`, `calibration`, `policy`, `layout`, `errors` and `text`.
"""
