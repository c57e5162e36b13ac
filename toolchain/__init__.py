"""Tools for development that install, test and pin packages. They are not part of the wheel."""
