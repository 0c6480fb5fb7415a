"""What memory holds that nobody wrote, in a worker. Standard library only, Python 3.8 on.

glibc's MALLOC_PERTURB_ (mallopt(3)) fills what is freed with the lowest byte of its value, and what is handed out with
the complement of that byte.
"""

from __future__ import annotations

PERTURB = 64
"""The value of MALLOC_PERTURB_: fresh memory is -1.498 in float32 and freed memory 3.004, neither of which is usual."""

POISON_BYTES = (PERTURB ^ 0xFF, PERTURB)
"""Every byte of fresh and of freed memory."""
