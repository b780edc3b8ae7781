"""The command ``open-speech``.

Its modules import only click until a command runs: ``--help`` must not wait for anything.
"""

from .main import main

__all__ = ["main"]
