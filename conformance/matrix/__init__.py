"""The kill matrix: the suite run on each fault of the reference server, and on the sound server beside it."""
