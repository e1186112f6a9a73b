"""The judge: turns the evidence that a student's process left behind into a verdict.

The warm process (`engine/warm_main.py`) starts the evaluator (`judge.serve`), whose judges read journals and weights
as bytes; no student code, pickle or Keras loader is involved. Hidden tests call `checks`; everybody reads
`grade_report`.
Imports: calibration, submissions, policy, data, sandbox (for the contract of the journal), and the modules at the root.
"""
