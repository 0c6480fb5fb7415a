"""Which release of PyTorch golden data is of."""

from __future__ import annotations

import re


def release_of(version: str) -> str:
    """Major and minor number: ``2.15`` of ``2.15.0+cpu`` and of ``2.15.0a0+git1d2c3b``.

    Within a release formats do not change on purpose; between two they may, and that is no fault.
    """
    match = re.match(r"\d+\.\d+", version)
    return match[0] if match else version
