"""The installed version of this distribution."""

from importlib import metadata

__version__ = metadata.version("open-speech-core")
