"""A gate that proves PyTorch's CPU operators give one answer in every memory format and on every instruction set."""

__version__ = "0.1.0"
