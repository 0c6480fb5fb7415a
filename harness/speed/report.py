"""What is printed of a run of `equivalence speed`: a line for each operator and model at each level."""

from __future__ import annotations

from typing import Final

import jinja2

from harness.models import TEMPLATES as MODEL_TEMPLATES
from harness.speed.schema import SpeedReport

TEMPLATES: Final = MODEL_TEMPLATES.overlay(loader=jinja2.PackageLoader("harness.speed"))

ARTICLE: Final = "https://pytorch.org/blog/accelerating-pytorch-vision-models-with-channels-last-on-cpu/"


def speed_text(report: SpeedReport) -> str:
    """Medians, spread and ratio of every row, beside what PyTorch's article reports."""
    threads = sorted({row.times.threads for row in report.rows if row.times is not None})
    return TEMPLATES.get_template("speed.txt").render(report=report, threads=threads, article=ARTICLE)
