"""Reports of comparisons, one module for each format; `report` contains what all of them show."""
