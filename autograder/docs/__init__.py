"""The documents, their pictures, and the commands that make those (`make pictures`)."""
