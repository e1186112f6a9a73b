"""The untrusted side of the border.

Nothing in this folder knows a test, a threshold, an answer or a private image, and nothing here may
import a module that does.
"""
