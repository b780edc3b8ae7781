"""Live speech to text: turns found by voice activity, and text that settles while one speaks."""
