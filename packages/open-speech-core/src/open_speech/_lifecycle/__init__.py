"""The life of a model: downloaded, loaded, in use, drained, evicted."""
