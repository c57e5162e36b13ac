"""What keeps development working: tools that install, try and pin, and are no part of what users get."""
