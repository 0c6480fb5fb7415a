"""The bytes that a snapshot's digest is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.oracles import round_to
from harness.portable.dtypes import FLOATING, carrier_of


def digest_bytes(dtype: str, values: npt.NDArray[Any]) -> bytes:
    """The values in C order and in the dtype, little endian, with 0 for negative zero; bfloat16's are float32's."""
    stored = np.dtype(carrier_of(dtype)).newbyteorder("<")
    rounded = round_to(dtype, values) if dtype in FLOATING else values
    return np.ascontiguousarray(rounded + 0 if stored.kind in "fc" else rounded, dtype=stored).tobytes()
