"""The accuracies that the solution reaches, and how often a correct submission misses a band.

Called by the commands `calibrate` and `new-term`, by the report, and by whatever needs the rules that grade
(`reference.rules`). Only numbers and files of the instructor come in.
Imports: submissions, policy, data, and the modules at the root.
"""
