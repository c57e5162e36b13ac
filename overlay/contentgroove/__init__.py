"""The ContentGroove SDK."""
