"""Rules of the repository, as functions over a folder, so that each can be shown to fail."""
