"""The command line: parse the arguments, call one function below, render its result, set the exit code.

`app.main` is the entry point of `mnist-kit`; `pytest_plugin` is loaded by pytest. No logic, and no heavy import until a
command runs: `--help` must not load TensorFlow. May import every folder except `tools` and `tests`.
"""
