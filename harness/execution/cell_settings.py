"""How a cell is set up for a run: as usual, or with one thing switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class CellSettings:
    """What a cell has beside its level.

    `onednn`: oneDNN may be used; `poisoned`: memory is filled before it is handed out; `preloaded`: the preload files
    have been run.
    """

    onednn: bool = True
    poisoned: bool = True
    preloaded: bool = True


AS_USUAL: Final = CellSettings()
