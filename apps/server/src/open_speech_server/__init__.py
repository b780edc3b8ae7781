"""The server of Open Speech: HTTP in front of core. The command is ``open-speech``."""

from importlib import metadata

__version__ = metadata.version("open-speech-server")
