"""Between two reports: what could have been, and how probably."""
