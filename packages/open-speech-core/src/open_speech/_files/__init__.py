"""Files that processes share: locks, and records of other releases."""
