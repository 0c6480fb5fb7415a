"""Operators and models measured in both memory formats at each ISA level: ratios, NHWC over NCHW.

What is measured is chosen (`chosen_cases`, `torchvision_model`), measured in turn (`SpeedRun`), and kept as one
document (`SpeedReport`), which `speed_text` prints. Nothing here judges.
"""

from harness.speed.choice import CASES, MODELS, chosen_cases, torchvision_model
from harness.speed.report import speed_text
from harness.speed.run import SpeedRun
from harness.speed.schema import SpeedReport, SpeedRow

__all__ = [
    "CASES",
    "MODELS",
    "SpeedReport",
    "SpeedRow",
    "SpeedRun",
    "chosen_cases",
    "speed_text",
    "torchvision_model",
]
