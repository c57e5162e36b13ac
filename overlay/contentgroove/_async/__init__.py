"""The async client. Written by hand: `overlay/make_sync.py` generates `_sync` from it."""
