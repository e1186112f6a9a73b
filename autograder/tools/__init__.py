"""Benchmarks and picture-makers, run by `make bench` and `make pictures`.

Each is a script of its own; every figure in a document names the one that makes it. Tests may use what stands here, no
other folder does, and the wheel leaves it out. It may import everything but the tests.
"""
