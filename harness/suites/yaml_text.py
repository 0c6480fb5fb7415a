"""YAML as a person would write it on one line."""

from __future__ import annotations

from typing import Any, Final

import yaml

_ENDLESS: Final = 10**6


def inline_yaml(value: Any) -> str:
    """Plain data as YAML in flow style, quoted where it must be: ``{N: 1, kernel: [2, 2], mode: nearest}``."""
    text = yaml.safe_dump(value, default_flow_style=True, width=_ENDLESS, sort_keys=False, allow_unicode=True)
    return text.strip().removesuffix("\n...")
