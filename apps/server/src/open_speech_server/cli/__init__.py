"""The command ``open-speech``."""

from .main import main

__all__ = ["main"]
