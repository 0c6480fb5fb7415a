"""Declaration: suite files and levels, from YAML to nouns, with every mistake at its place."""

from harness.declaration.document import Document, read_document
from harness.declaration.files import load_file
from harness.declaration.layouts import FORMATS, LAYOUTS, VIEWS
from harness.declaration.levels import load_levels
from harness.declaration.mistakes import DeclarationError, Mistake, suggestion
from harness.declaration.networks import ModelSuite
from harness.declaration.positions import Location, Positions
from harness.declaration.schema import json_schema
from harness.declaration.suite import Suite, load_suite
from harness.declaration.validation import Items, Report, Strict, read_model, validate

__all__ = [
    "FORMATS",
    "LAYOUTS",
    "VIEWS",
    "DeclarationError",
    "Document",
    "Items",
    "Location",
    "Mistake",
    "ModelSuite",
    "Positions",
    "Report",
    "Strict",
    "Suite",
    "json_schema",
    "load_file",
    "load_levels",
    "load_suite",
    "read_document",
    "read_model",
    "suggestion",
    "validate",
]
