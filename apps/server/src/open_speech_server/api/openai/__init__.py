"""OpenAI's audio endpoints."""
