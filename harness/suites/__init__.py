"""Suite files and levels, from YAML to the nouns of `core`, with every mistake at its place."""

from harness.suites.arguments import ArgumentReader
from harness.suites.document import Document, display_path, read_document
from harness.suites.editor_schema import json_schema, schema_text
from harness.suites.entry import LayeredEntry
from harness.suites.levels import load_levels
from harness.suites.mistakes import MOST_MISTAKES, DeclarationError, Mistake, suggestion
from harness.suites.names import PLACEHOLDER, is_dotted, is_name
from harness.suites.positions import Location, Positions
from harness.suites.repair import repair_entries
from harness.suites.schema import Argument, Arithmetic, SizeEntry, WordsSchema
from harness.suites.scope import Scope
from harness.suites.sizes import build_size
from harness.suites.suite import Suite, build_suite, examine_suite, load_suite
from harness.suites.tensors import build_shape
from harness.suites.validation import Examination, Items, Report, StrictSchema, read_validated, validate, validate_part
from harness.suites.yaml_text import inline_yaml

__all__ = [
    "MOST_MISTAKES",
    "PLACEHOLDER",
    "Argument",
    "ArgumentReader",
    "Arithmetic",
    "DeclarationError",
    "Document",
    "Examination",
    "Items",
    "LayeredEntry",
    "Location",
    "Mistake",
    "Positions",
    "Report",
    "Scope",
    "SizeEntry",
    "StrictSchema",
    "Suite",
    "WordsSchema",
    "build_shape",
    "build_size",
    "build_suite",
    "display_path",
    "examine_suite",
    "inline_yaml",
    "is_dotted",
    "is_name",
    "json_schema",
    "load_levels",
    "load_suite",
    "read_document",
    "read_validated",
    "repair_entries",
    "schema_text",
    "suggestion",
    "validate",
    "validate_part",
]
