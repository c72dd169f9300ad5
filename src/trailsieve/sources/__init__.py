"""The sources of messages: a module or a package for each."""
