"""Processes: one submission, many submissions, many machines.

Takes submissions, the policy, Otter's test files and the images, from cli/, commands/ and gradescope/; returns
GradeReports. May import gradebook/ and everything below it.
"""
