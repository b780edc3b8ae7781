"""Programs for the environments of real clients; ``tests/test_clients.py`` runs them."""
