"""Models in a worker: built, run, hooked and taken apart."""
