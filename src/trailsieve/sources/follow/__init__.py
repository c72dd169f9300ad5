"""The source that follows growing files, like `tail -F`."""
