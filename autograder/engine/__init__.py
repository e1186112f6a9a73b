"""Processes: one submission, many submissions, many machines.

In come submissions, the policy, Otter's test files and the images, from cli/, commands/ and gradescope/; out come
GradeReports. May import gradebook/ and everything below it.
"""
