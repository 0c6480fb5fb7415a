"""``python -m harness.cli``: the same as the command ``equivalence``."""

import sys

from harness.cli import main

sys.exit(main())
