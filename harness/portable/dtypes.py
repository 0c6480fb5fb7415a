"""The dtypes of PyTorch that examples are run in, and the facts of their arithmetic. Standard library only, Python 3.8.

Dtypes go by torch's names without the prefix. IEEE 754 binary64, binary32 and binary16 are float64, float32 and
float16; bfloat16 is binary32 cut to 8 significant bits. Everything that a formula needs of one follows from two
numbers: how many significant bits it has, and where its subnormals end.
"""

from __future__ import annotations

import math
from typing import Dict, Literal, NamedTuple, Tuple

Dtype = Literal[
    "float32", "float64", "bfloat16", "float16",
    "complex64", "complex128", "int64", "int32", "int16", "int8", "uint8", "bool",
]  # fmt: skip
"""Every dtype that a suite may name."""

FloatingDtype = Literal["float32", "float64", "bfloat16", "float16"]


class FloatInfo(NamedTuple):
    """A binary floating-point format; the properties have the names of `torch.finfo` where that has them.

    `precision` is p, the number of significant bits with the hidden one counted; `least_exponent` the exponent of the
    smallest subnormal number, 2**least_exponent.
    """

    precision: int
    least_exponent: int

    @property
    def unit_roundoff(self) -> float:
        """The largest relative error of one rounding to nearest, u = 2**-p (Higham, 2nd ed., Theorem 2.2).

        Half of what `torch.finfo` calls `eps`.
        """
        return 2.0**-self.precision

    @property
    def max(self) -> float:
        """The largest finite number."""
        return math.ldexp(2.0 - 2.0 * self.unit_roundoff, 2 - self.least_exponent - self.precision)

    @property
    def smallest_normal(self) -> float:
        """The smallest number of full precision: vectorised exponentials flush what is below it to zero."""
        return math.ldexp(1.0, self.least_exponent + self.precision - 1)

    @property
    def smallest_subnormal(self) -> float:
        """The smallest number larger than 0."""
        return math.ldexp(1.0, self.least_exponent)

    @property
    def largest_subnormal(self) -> float:
        """The largest number of less than full precision."""
        return self.smallest_normal - self.smallest_subnormal

    @property
    def underflow_error(self) -> float:
        """Half the smallest subnormal: the largest error of a rounding that underflows (Higham, 2nd ed., eq. 2.8).

        For float64 half of it is no float64, so it is the smallest subnormal itself.
        """
        return math.ldexp(1.0, max(self.least_exponent - 1, -1074))


FLOATING: Dict[str, FloatInfo] = {
    "float32": FloatInfo(24, -149),
    "float64": FloatInfo(53, -1074),
    "bfloat16": FloatInfo(8, -133),
    "float16": FloatInfo(11, -24),
}
"""The floating dtypes, the plainest first."""

COMPLEX: Dict[str, str] = {"complex64": "float32", "complex128": "float64"}
"""The complex dtypes, each with the dtype of its real and its imaginary part."""

INTEGRAL: Dict[str, Tuple[int, int]] = {
    "int64": (-(2**53), 2**53),
    "int32": (-(2**31), 2**31 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int8": (-(2**7), 2**7 - 1),
    "uint8": (0, 255),
    "bool": (0, 1),
}
"""The integral dtypes, bool among them, each with its least and its largest number; of int64 those that float64 has
as well, because the numbers of a tensor are made in float64."""

DTYPES: Tuple[str, ...] = (*FLOATING, *COMPLEX, *INTEGRAL)
"""Every dtype, in the order in which reports list them: that of `Dtype`."""


def finfo(dtype: str) -> FloatInfo:
    """The facts of a floating dtype; raises KeyError for any other."""
    return FLOATING[dtype]


def is_differentiable(dtype: str) -> bool:
    """Whether a tensor of that dtype can have a gradient: floating and complex ones can."""
    return dtype in FLOATING or dtype in COMPLEX


def kernel_class(dtype: str) -> str:
    """What the dtypes that instantiate the same code of an ATen kernel have in common.

    AT_DISPATCH makes a kernel's loops of one template for float32 and float64, of another for the half types where
    these accumulate in float32 (at::opmath_type), and for complex and integral ones where it has those.
    """
    if dtype in FLOATING:
        return "floating" if accumulator_of(dtype) == dtype else "half"
    return "complex" if dtype in COMPLEX else "integral"


def part_of(dtype: str) -> str:
    """The floating dtype that the numbers of `dtype` are kept in: its parts' for a complex one, else `dtype` itself."""
    return COMPLEX.get(dtype, dtype)


def accumulator_of(dtype: str) -> str:
    """The dtype that sums of `dtype` are expected to be kept in: float32 for the half types, else `dtype` itself."""
    return "float32" if dtype in ("bfloat16", "float16") else dtype


def carrier_of(dtype: str) -> str:
    """The NumPy dtype, by name, that holds every number of `dtype`: float32 for bfloat16, which NumPy lacks."""
    return "float32" if dtype == "bfloat16" else dtype
