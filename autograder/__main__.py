"""`python -m autograder`, the entry point of the command `mnist-kit`.

Any Python, however old, must be able to parse this file, so that it can say which one is needed.
"""

import sys

TOO_OLD = (
    "mnist-kit: Python 3.11 or newer is needed, and {} is {}.{}. `make setup` makes an environment with the right one; "
    "then .venv/bin/mnist-kit is the command.\n"
)


def main():  # type: () -> None
    """Run `mnist-kit`; if Python is too old or a package is missing, say so in one line, with exit code 2."""
    if sys.version_info < (3, 11):
        sys.stderr.write(TOO_OLD.format(sys.executable, *sys.version_info[:2]))
        sys.exit(2)
    from autograder.engine import environment

    try:
        from autograder.cli.app import main as run
    except ImportError as error:
        sys.stderr.write("mnist-kit: {}\n".format(environment.lacking(error)))
        sys.exit(2)
    run()


if __name__ == "__main__":
    main()
