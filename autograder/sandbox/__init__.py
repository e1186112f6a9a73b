"""The untrusted side of the border: confinement, the cells of a notebook, and the record of its variables.

Runs in the process of a student's code, so it holds no test, threshold, answer or private image. The warm process
(`engine/warm_main.py`) calls it with the code cells and the names of the variables to look at. Other folders import
its limits and formats only. It may import nothing else of the kit.
"""
