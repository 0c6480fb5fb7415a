"""Known issues: reading `golden/issues/`, and checking that each entry names what exists."""
