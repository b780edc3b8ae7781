"""Live sessions as OpenAI's Realtime API has them."""
