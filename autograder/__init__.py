"""The grading half of the kit. Kept empty: the untrusted process imports this package too."""
