"""What Gradescope gives an autograder besides the notebook, and what the kit makes of it."""
