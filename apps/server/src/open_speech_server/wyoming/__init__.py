"""Home Assistant's protocol: the same speech service, on a port of its own."""

from .server import WyomingServer

__all__ = ["WyomingServer"]
