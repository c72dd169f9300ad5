"""Alert formats: pure functions from `Alert` to bytes, one file each."""
