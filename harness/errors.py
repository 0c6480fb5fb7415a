"""What a user can do wrong, as exceptions that carry the whole message.

UserError
└── (raised by every room; the command line and the pytest plugin print it and exit with 4)
"""


class UserError(Exception):
    """A mistake in a file, an option or an environment. The text says where, what, and what would be right."""
