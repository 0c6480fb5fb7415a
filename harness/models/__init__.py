"""Models, from declaration to report, on top of the rooms of operators."""
