"""Measurements. Every figure in a document names the one that makes it."""
