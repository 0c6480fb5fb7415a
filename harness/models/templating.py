"""The templates of what is printed of models, and of their page: those of `reporting`, with files of their own."""

from __future__ import annotations

from typing import Final

import jinja2

from harness.reporting import HTML as REPORTING_HTML
from harness.reporting import TEMPLATES as REPORTING_TEMPLATES

TEMPLATES: Final = REPORTING_TEMPLATES.overlay(loader=jinja2.PackageLoader("harness.models"))

_LOADERS: Final = (jinja2.PackageLoader("harness.models"), jinja2.PackageLoader("harness.reporting"))
HTML: Final = REPORTING_HTML.overlay(loader=jinja2.ChoiceLoader(_LOADERS))
"""For HTML: a template of models can be made of pieces of the report's."""
