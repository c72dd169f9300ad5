"""What other files know of addresses and accounts. Nothing is looked up unless a file is named."""
