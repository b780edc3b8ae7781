"""A server under load for an hour, with a fault every five seconds."""
