"""Voices: resolve names, mix voices, keep recordings to clone."""
