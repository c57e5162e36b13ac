"""The simulator: `core` holds what the service does, `web` speaks HTTP, the rest joins them to the world."""
