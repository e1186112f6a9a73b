"""`python -m autograder` is `mnist-kit`, where no command was installed."""

from autograder.cli import main

main()
