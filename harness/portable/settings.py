"""Settings of PyTorch under which a call can be made, beside its level and its threads; standard library only."""

from __future__ import annotations

from typing import Literal, Tuple

Setting = Literal["onednn_off", "deterministic", "default_float64", "four_threads"]
"""``onednn_off``: torch.backends.mkldnn; ``deterministic``: torch.use_deterministic_algorithms, which warns where there
is no such kernel; ``default_float64``: torch.set_default_dtype; ``four_threads``: more than there are processors for.
"""

SETTINGS: Tuple[Setting, ...] = ("onednn_off", "deterministic", "default_float64", "four_threads")
"""Every setting.

Two that PyTorch has are none: after set_flush_denormal the threads of OpenMP's pool stay as they are, before and
after, so that it would leak into the next call; and with set_float32_matmul_precision sums may be taken in bfloat16 or
not, as the CPU has it, so that no bound holds that says anything.
"""

USUAL = "usual"
"""What an example says that runs under none of them."""
