"""The worker process, and the protocol between server and worker."""
