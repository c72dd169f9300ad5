"""The source that follows growing files."""
