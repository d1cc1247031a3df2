"""Student code locked up: the process that holds it, what it may see, and how one speaks with it. Linux only."""
