"""The reference server: the World behind the three wire formats, on ASGI."""
