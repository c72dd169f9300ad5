"""What happened in an archive: who did what, from where and to what, and whether it is over."""
