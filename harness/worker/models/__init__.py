"""Models in a worker: built, run, hooked and taken apart. Requests come in by `operations`."""
