"""Everything that touches sockets, files, threads, clocks and random numbers, once for sync and once for async."""
