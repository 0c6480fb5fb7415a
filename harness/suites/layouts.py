"""The names of layouts: a format, or a format and a view of it (what each is: `harness/portable/layouts.py`)."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("contiguous", "channels_last")
VIEWS: Final = (
    "offset",
    "as_contiguous",
    "slice_w",
    "slice_h",
    "slice_d",
    "slice_c",
    "batch_slice",
    "image",
    "loaded",
    "step_w",
    "step_h",
    "step_d",
    "step_c",
    "expand_n",
    "odd",
    "permuted",
)
_CHANNELS_LAST_ONLY: Final = ("as_contiguous", "loaded")
_CONTIGUOUS_ONLY: Final = ("permuted",)

LAYOUTS: Final[tuple[str, ...]] = (
    *FORMATS,
    *(f"contiguous:{view}" for view in VIEWS if view not in _CHANNELS_LAST_ONLY),
    *(f"channels_last:{view}" for view in VIEWS if view not in _CONTIGUOUS_ONLY),
)
"""All that an example may name. Which of them differ from each other depends on the tensor's rank."""
