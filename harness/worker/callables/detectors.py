"""torchvision's detectors behind one tensor: losses in a training step, detections in evaluation.

They are made small, and so that they draw no random numbers: of anchors and proposals they sample as many as there are
(``torchvision.models.detection._utils.BalancedPositiveNegativeSampler`` permutes what is too much). Few proposals and
detections are kept, because their order is that of their scores: of n numbers two are about 1/n^2 apart.
"""

from __future__ import annotations

import importlib
import math
from typing import Dict, List, Union

import numpy as np
import torch
from torch import nn

LOWER = 8
"""By how many rows each image is lower than the one before: a batch of unequal images is padded."""

OBJECTS = 2
"""Objects in each image."""

KEYPOINTS = 3
"""Keypoints of each object, for the detector that asks for them."""

CLASSES = 5
"""Classes, with the background."""

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
"""Multiples of it, modulo 1, come to no simple fraction of the image: no box is as near to one anchor as to another."""

Targets = Dict[str, torch.Tensor]
"""The objects of one image, or what a detector says of them: boxes, labels and the like, by name."""

Detections = Union[Targets, List[Targets]]
"""A dict of losses in training; in evaluation what was detected, a dict for each image."""

Arguments = Dict[str, int]
SMALL: Arguments = {"min_size": 96, "max_size": 128}
ONE_STAGE: Arguments = {"num_classes": CLASSES, "detections_per_img": 4, "topk_candidates": 16}
TWO_STAGES: Arguments = {
    **SMALL,
    "rpn_pre_nms_top_n_train": 16,
    "rpn_pre_nms_top_n_test": 16,
    "rpn_post_nms_top_n_train": 12,
    "rpn_post_nms_top_n_test": 12,
    "rpn_batch_size_per_image": 1 << 14,
    "box_detections_per_img": 4,
}
"""Half of 2^14 anchors are more than an image of 96 x 128 has, and a quarter of 512 more than there are proposals."""


class Detector(nn.Module):  # type: ignore[misc] # mypy does not follow torch here
    """Calls a detector with a list of images, and in training with made-up objects in them.

    The images are views of the batch: of one in channels-last they are stored row by row, pixel by pixel, as decoders
    of files give them.
    """

    def __init__(self, detector: nn.Module, keypoints: bool, masks: bool) -> None:
        super().__init__()
        self.detector = detector
        self.keypoints = keypoints
        self.masks = masks

    def forward(self, x: torch.Tensor) -> Detections:
        """A batch (N, 3, H, W) to a dict of losses, or to dicts of boxes, scores and labels. H is at least 8 N."""
        images = [image[:, : x.shape[2] - LOWER * index] for index, image in enumerate(x)]
        objects = [self.objects(index, image) for index, image in enumerate(images)] if self.training else None
        detections: Detections = self.detector(images, objects)
        return detections

    def objects(self, index: int, image: torch.Tensor) -> Targets:
        """The objects of one image (3, H, W): boxes within it, labels from 1, and what else the detector wants."""
        height, width = image.shape[1:]
        boxes = [_box(index * OBJECTS + number, height, width) for number in range(OBJECTS)]
        targets = {
            "boxes": torch.tensor(boxes, dtype=image.dtype),
            "labels": torch.tensor([1 if self.keypoints else 1 + number % (CLASSES - 1) for number in range(OBJECTS)]),
        }
        if self.masks:
            targets["masks"] = torch.stack([_ellipse(box, height, width) for box in boxes])
        if self.keypoints:
            # RoIHeads.forward takes float32 only, in a float64 model too (`promote_float64` has no say over NumPy)
            targets["keypoints"] = torch.from_numpy(np.array([_points(box) for box in boxes], np.float32))
        return targets


def _fraction(number: int) -> float:
    """The number's place in the sequence, between 0 and 1, in 1024ths: exact in float32."""
    return round(number * GOLDEN % 1.0 * 1024.0) / 1024.0


def _box(number: int, height: int, width: int) -> list[float]:
    """Left, top, right, bottom in pixels; half to nearly all of the image in each direction."""
    across, down, x, y = (_fraction(7 * number + part + 1) for part in range(4))
    wide, high = width * (0.5 + 0.4375 * across), height * (0.5 + 0.4375 * down)
    left, top = (width - wide) * x, (height - high) * y
    return [left, top, left + wide, top + high]


def _ellipse(box: list[float], height: int, width: int) -> torch.Tensor:
    """A mask (H, W) of bytes, 1 in the ellipse that fills the box."""
    left, top, right, bottom = box
    rows, columns = torch.arange(height)[:, None] + 0.5, torch.arange(width)[None] + 0.5
    across = (2.0 * columns - left - right) / (right - left)
    down = (2.0 * rows - top - bottom) / (bottom - top)
    return (across**2 + down**2 < 1.0).byte()


def _points(box: list[float]) -> list[list[float]]:
    """Keypoints inside the box, all of them visible."""
    left, top, right, bottom = box
    places = [(_fraction(2 * point + 1), _fraction(2 * point + 2)) for point in range(KEYPOINTS)]
    return [[left + (right - left) * x, top + (bottom - top) * y, 1.0] for x, y in places]


def _make_detector(name: str, arguments: Arguments, keypoints: bool = False, masks: bool = False) -> nn.Module:
    """A detector of torchvision, without weights."""
    factory = getattr(importlib.import_module("torchvision.models.detection"), name)
    return Detector(factory(weights=None, weights_backbone=None, **arguments), keypoints, masks)


def fasterrcnn_mobilenet_v3_large_320_fpn() -> nn.Module:
    """Faster R-CNN (Ren et al. 2015, arXiv:1506.01497) on MobileNetV3."""
    return _make_detector("fasterrcnn_mobilenet_v3_large_320_fpn", {**TWO_STAGES, "num_classes": CLASSES})


def fasterrcnn_resnet50_fpn() -> nn.Module:
    """Faster R-CNN on ResNet-50 with a feature pyramid (Lin et al. 2017, arXiv:1612.03144)."""
    return _make_detector("fasterrcnn_resnet50_fpn", {**TWO_STAGES, "num_classes": CLASSES})


def maskrcnn_resnet50_fpn() -> nn.Module:
    """Mask R-CNN (He et al. 2017, arXiv:1703.06870)."""
    return _make_detector("maskrcnn_resnet50_fpn", {**TWO_STAGES, "num_classes": CLASSES}, masks=True)


def keypointrcnn_resnet50_fpn() -> nn.Module:
    """Keypoint R-CNN: the same with heatmaps of keypoints."""
    arguments = {**TWO_STAGES, "num_classes": 2, "num_keypoints": KEYPOINTS}
    return _make_detector("keypointrcnn_resnet50_fpn", arguments, keypoints=True)


def retinanet_resnet50_fpn() -> nn.Module:
    """RetinaNet (Lin et al. 2017, arXiv:1708.02002)."""
    return _make_detector("retinanet_resnet50_fpn", {**ONE_STAGE, **SMALL})


def fcos_resnet50_fpn() -> nn.Module:
    """FCOS (Tian et al. 2019, arXiv:1904.01355)."""
    return _make_detector("fcos_resnet50_fpn", {**ONE_STAGE, **SMALL})


def ssdlite320_mobilenet_v3_large() -> nn.Module:
    """SSDlite (Sandler et al. 2018, arXiv:1801.04381) on MobileNetV3; it resizes to 320 x 320 whatever comes in."""
    return _make_detector("ssdlite320_mobilenet_v3_large", ONE_STAGE)
