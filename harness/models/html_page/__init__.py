"""The answer of `equivalence model` as one HTML file, which needs no network and no other file."""

from harness.models.html_page.document import model_html

__all__ = ["model_html"]
