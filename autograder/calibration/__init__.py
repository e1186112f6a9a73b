"""The accuracies that the solution reaches, and how often a correct submission misses a band.

Called by the commands `calibrate` and `new-term`, by the report, and by everything that needs the grading rules
(`reference.rules`). Its input is numbers and the instructor's files.
Imports: submissions, policy, data, and the modules at the root.
"""
