"""An investigation as one HTML file that needs no network and no other file."""
