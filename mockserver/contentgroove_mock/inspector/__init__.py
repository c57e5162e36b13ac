"""The inspector: a page at `/_mock/` that shows what a simulator holds and does, and controls it."""
