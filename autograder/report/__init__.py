"""Pure renderers: a GradeReport (or a class of them) in, text out. Nothing here reads or writes a file."""
