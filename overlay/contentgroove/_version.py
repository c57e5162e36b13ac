"""The version of this library, as in `User-Agent` and `--version`."""

__version__ = "0.1.0"
