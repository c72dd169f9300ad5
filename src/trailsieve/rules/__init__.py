"""The rules room: rules, packs and the files they come from."""
