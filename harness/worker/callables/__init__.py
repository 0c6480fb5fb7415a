"""Functions and modules that suites name."""
