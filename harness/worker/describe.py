"""What a worker says of itself when it is ready: versions, and the proof of its ISA level."""

from __future__ import annotations

import platform
import re

import numpy as np
import torch

from . import kernel_trace


def build() -> dict[str, str]:
    """Versions of torch, oneDNN (empty without), Python and NumPy, and the platform."""
    shown = torch.__config__.show()
    found = re.search(r"(?:MKL-DNN|oneDNN) v([0-9][0-9.]*)", shown) if torch.backends.mkldnn.is_available() else None
    return {
        "torch": str(torch.__version__),
        "onednn": found.group(1) if found else "",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def capability() -> str:
    """ATen's effective capability in capitals: DEFAULT, AVX2, AVX512, SVE256 and so on."""
    ask = getattr(getattr(torch.backends, "cpu", None), "get_cpu_capability", None)
    if ask is not None:
        return str(ask()).upper()
    found = re.search(r"CPU capability usage: (.*)", torch.__config__.show())
    text = found.group(1).strip().upper() if found else ""
    return "DEFAULT" if text == "NO AVX" else text


def small_convolution() -> bool:
    """Run a kernel of oneDNN's with all threads."""
    torch.nn.functional.conv2d(torch.ones(2, 8, 16, 16), torch.ones(8, 8, 3, 3))
    return True


def proof(log: kernel_trace.Trace) -> dict[str, str]:
    """Run one convolution and read back what oneDNN's header and ATen say; `onednn` is empty where nothing printed."""
    log.text()
    small_convolution()
    return {"onednn": kernel_trace.isa(log.text()), "aten": capability()}
