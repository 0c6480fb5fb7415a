"""The templates of everything that is printed. What stands in braces may be foreign text, and each kind makes it safe.

A terminal gets no control characters, Markdown no markup but that of the template, and HTML is escaped.
"""

from __future__ import annotations

import shlex
from typing import Final

import jinja2

from harness.reporting.foreign_text import (
    Markdown,
    markdown_block,
    markdown_html,
    markdown_value,
    one_line,
    visible_value,
)

TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("harness.reporting"),
    autoescape=False,  # noqa: S701 - plain text for a terminal
    finalize=visible_value,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.filters |= {"quote": shlex.quote, "one_line": one_line, "block": markdown_block}

MARKDOWN: Final = TEMPLATES.overlay(finalize=markdown_value)
"""For Markdown that is shown as it is written; every text that a template names is escaped.

What a macro of the template returns is Markdown already, and is handed on with the filter `markdown`.
"""
MARKDOWN.filters = {**TEMPLATES.filters, "markdown": Markdown, "html": markdown_html}

HTML: Final = TEMPLATES.overlay(autoescape=True)
"""For HTML: every text that a template names is escaped, and has no control characters."""
