"""Data types of requests, results and models."""
