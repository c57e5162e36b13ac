"""The shells: everything that touches sockets, files, clocks and chance, once for sync and once for async."""
