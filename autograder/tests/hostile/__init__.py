"""Notebooks that try what they must not, each with what has to come of it; `test_hostile.py` runs them."""
