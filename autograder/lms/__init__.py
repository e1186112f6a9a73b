"""Files of other systems: class lists, Canvas's gradebook, grades made elsewhere. One module a platform or kind.

Called by `commands`, `gradebook`, `report` and `review` with a path and the names of the submissions.
Returns frozen data, or raises an error that names the line; never guesses whose row it is, and touches no file but the
one it reads. May import `judge.grade_report`, `policy`, `errors` and `text`. A platform's module reads its file with
`csv_file` and finds its students' submissions with `roster`.
"""
