"""The layout contract: rules, lines, and the table of which operators keep channels-last."""
