"""Shared by the harness's own tests: a Hypothesis profile without deadlines, for a noisy machine."""

from hypothesis import settings

settings.register_profile("tests", deadline=None, print_blob=True)
settings.load_profile("tests")
pytest_plugins = ["pytester"]
