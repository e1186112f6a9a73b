"""The package of mnist-kit. Nothing but its version is here: the untrusted process imports this module too."""

__version__ = "0.1.0"
