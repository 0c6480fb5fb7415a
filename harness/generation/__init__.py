"""Generation: from a Case to Examples. Sizes, layouts, fills, covering arrays, and shrinking."""
