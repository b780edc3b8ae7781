"""The own tests of the servers that this one can stand in for, run against it."""
