"""For all tests of the repository."""

from hypothesis import settings

# No test has a threshold of time: an example takes as long as a busy machine makes it take.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
