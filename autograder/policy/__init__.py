"""grading.yml: what a course asks for and how it is scored, as frozen, typed objects.

Called by almost every other folder, with the path of a grading.yml.
Returns a Policy, or raises PolicyError with the line of every mistake.
May import `data` and the modules at the root.
"""
