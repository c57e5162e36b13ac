"""HTTP around the core: routes, the file store's wire behaviour, faults on the connection."""
