"""What development installs, and what is tried with it: locks, Pythons, bounds."""
