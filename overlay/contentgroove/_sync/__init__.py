# Generated from _async/__init__.py by overlay/make_sync.py: edit that file and run `make sync`.
"""The sync client."""
