"""The async client. Written by hand; `_sync` is generated from it by `overlay/make_sync.py`."""
