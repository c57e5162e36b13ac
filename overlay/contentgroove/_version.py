"""The version of this library, as `User-Agent` and `--version` show it."""

__version__ = "0.1.0"
