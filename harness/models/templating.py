"""The templates of what is printed of models: those of `reporting`, with files of their own."""

from __future__ import annotations

from typing import Final

import jinja2

from harness.reporting import TEMPLATES as REPORTING_TEMPLATES

TEMPLATES: Final = REPORTING_TEMPLATES.overlay(loader=jinja2.PackageLoader("harness.models"))
