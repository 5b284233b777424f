"""The front: the command line, and everything on one machine."""
