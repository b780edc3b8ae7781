"""Find providers, describe them, and resolve model names."""
