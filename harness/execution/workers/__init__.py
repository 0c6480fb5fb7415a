"""Worker processes: how they start, are spoken to, and are replaced."""
