"""Hypothesis tries the same examples in every run, so that a change is judged by itself; `make test-all` tries others."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("fixed")
