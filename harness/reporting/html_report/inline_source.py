"""Styles and scripts that stand in a page itself."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import jinja2


@dataclass(frozen=True)
class InlineSource:
    """The text of a style or a script that stands in a page.

    `digest` is what a content security policy knows it by (CSP Level 3, 2.3.1), so that a browser takes no other.
    """

    text: str

    @property
    def digest(self) -> str:
        """Such as ``sha256-...``."""
        return f"sha256-{base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()}"


def inline_source(templates: jinja2.Environment, *names: str) -> InlineSource:
    """The files of these names beside the templates, one after the other, as they are."""
    loader = templates.loader
    assert loader is not None  # noqa: S101 - the environments of the house have one
    return InlineSource("".join(loader.get_source(templates, name)[0] for name in names))
