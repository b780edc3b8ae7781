"""Endpoints of open-speech 0.6."""
