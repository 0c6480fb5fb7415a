"""What may name a case or a model, and what they call."""

from __future__ import annotations

import re
from typing import Final

PLACEHOLDER: Final = "{name}"
"""What each name of a family is put for."""

_NAME: Final = re.compile(r"\w[\w.-]*")
_DOTTED: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def is_name(text: str) -> bool:
    """Whether it can name a case or a model: letters, digits, ``_``, ``.`` and ``-``."""
    return _NAME.fullmatch(text) is not None


def is_dotted(text: str) -> bool:
    """Whether it is a dotted name, such as ``torch.nn.functional.conv2d``."""
    return _DOTTED.fullmatch(text) is not None
