"""What this project shows in a browser: one look for all pages and reports."""
