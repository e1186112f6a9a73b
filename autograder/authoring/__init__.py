"""Authoring: the master notebook and grading.yml become the template, the solution and the autograder zip.

`commands` builds with it; `gradescope` and the pytest plugin read the tests in the zip. Also here: the zip's
self-test, and the bundled class of the demo.
May import `engine` and every folder below it; holds no code that runs alongside a student's.
"""
