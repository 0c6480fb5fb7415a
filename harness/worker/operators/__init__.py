"""Operators in a worker: looked up, called in every mode, and observed."""
