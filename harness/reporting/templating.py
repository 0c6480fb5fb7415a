"""The templates of everything that is printed."""

from __future__ import annotations

import shlex
from typing import Final

import jinja2

TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("harness.reporting"),
    autoescape=False,  # noqa: S701 - plain text for a terminal
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.filters["quote"] = shlex.quote
