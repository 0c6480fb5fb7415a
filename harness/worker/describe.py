"""What a worker says of itself when it is ready: versions, and the proof of its ISA level."""

from __future__ import annotations

import platform
import re

import numpy as np
import torch

from ..portable.protocol import BuildData, ProofData
from . import kernel_trace


def build() -> BuildData:
    """Versions of torch, oneDNN (empty without), Python and NumPy, and the platform."""
    has_onednn = torch.backends.mkldnn.is_available()
    match = re.search(r"(?:MKL-DNN|oneDNN) v([0-9][0-9.]*)", torch.__config__.show()) if has_onednn else None
    return {
        "torch": str(torch.__version__),
        "onednn": match.group(1) if match else "",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def capability() -> str:
    """ATen's effective capability in capitals: DEFAULT, AVX2, AVX512, SVE256 and so on.

    Up to PyTorch 2.6 that of no AVX, which is DEFAULT, was called NO AVX.
    """
    get_capability = getattr(getattr(torch.backends, "cpu", None), "get_cpu_capability", None)
    if get_capability is not None:
        text = str(get_capability()).upper()
    else:
        match = re.search(r"CPU capability usage: (.*)", torch.__config__.show())
        text = match.group(1).strip().upper() if match else ""
    return "DEFAULT" if text == "NO AVX" else text


def run_small_convolution() -> bool:
    """Run a kernel of oneDNN's with all threads."""
    torch.nn.functional.conv2d(torch.ones(2, 8, 16, 16), torch.ones(8, 8, 3, 3))
    return True


def proof(log: kernel_trace.Trace) -> ProofData:
    """Run one convolution and read back what oneDNN's header and ATen say; `onednn` is empty where nothing printed."""
    log.text()
    run_small_convolution()
    return {"onednn": kernel_trace.isa(log.text()), "aten": capability()}
