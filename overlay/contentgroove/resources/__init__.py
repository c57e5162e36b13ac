"""The API's resources as people call them: signatures and documentation over `_core`."""
