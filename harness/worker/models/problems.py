"""What keeps a model from being judged or run; each text is one sentence for a person, and ends up in a reply."""

from __future__ import annotations


class ModelProblem(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """What keeps a model from being judged."""


class Unavailable(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """What this PyTorch or this machine does not have."""
