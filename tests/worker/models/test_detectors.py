"""Models that select by their own numbers: detectors, and how an allowance is found for what is kept or not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.execution.stand import module
from tests.worker.models.small_models import image_input, planted, refer

torch = pytest.importorskip("torch")
WIDTH, HEIGHT = 80, 64


class Recorder(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
    """Stands for a detector, and keeps what it is given."""

    def forward(self, images: Any, targets: Any = None) -> Any:
        """The first image, whatever the objects."""
        self.images, self.targets = images, targets
        return images[0]


def arguments_of_detector(batch: Any, *, training: bool) -> Recorder:
    """The images and objects that a detector with masks and keypoints gets for a batch."""
    recorder = Recorder()
    detector = module("callables.detectors").Detector(recorder, keypoints=True, masks=True)
    detector.train(training)(batch)
    return recorder


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_a_detector_gets_views_of_the_batch_in_its_format(form: Any) -> None:
    """Images of unequal heights, copied by nobody, and no objects in evaluation."""
    batch = torch.rand(3, 3, HEIGHT, WIDTH).to(memory_format=form)
    recorder = arguments_of_detector(batch, training=False)
    assert [tuple(image.shape) for image in recorder.images] == [(3, 64, 80), (3, 56, 80), (3, 48, 80)]
    for image, whole in zip(recorder.images, batch, strict=True):
        assert (image.data_ptr(), image.stride()) == (whole.data_ptr(), whole.stride())
    assert recorder.targets is None


def test_objects_lie_within_their_image_and_are_all_different() -> None:
    """Boxes of some size, keypoints and masks inside them, in the precision of the images."""
    recorder = arguments_of_detector(torch.rand(3, 3, HEIGHT, WIDTH, dtype=torch.float64), training=True)
    sizes = set()
    for image, objects in zip(recorder.images, recorder.targets, strict=True):
        height, width = image.shape[1:]
        assert objects["boxes"].dtype == image.dtype
        for box, mask, points in zip(objects["boxes"], objects["masks"], objects["keypoints"], strict=True):
            left, top, right, bottom = (float(side) for side in box)
            assert 0 <= left < right - width / 3 <= width
            assert 0 <= top < bottom - height / 3 <= height
            rows, columns = torch.where(mask)
            assert left - 1 < columns.min() < columns.max() < right
            assert top - 1 < rows.min() < rows.max() < bottom
            assert (points[:, 0] > left).all()
            assert (points[:, 1] < bottom).all()
            sizes.add((right - left, bottom - top))
    assert len(sizes) == 6


def test_a_detector_is_the_same_from_every_seed() -> None:
    """Of anchors and proposals all are taken, so there is nothing to draw; its losses are those of objects it finds."""
    pytest.importorskip("torchvision")
    detector = module("callables.detectors").fasterrcnn_mobilenet_v3_large_320_fpn().train()
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        with torch.no_grad():
            losses.append(detector(torch.linspace(0, 1, 3 * HEIGHT * WIDTH).reshape(1, 3, HEIGHT, WIDTH)))
        for layer in detector.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.reset_running_stats()
    assert set(losses[0]) == {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"}
    assert losses[0] == losses[1]
    assert all(float(loss) > 0 for loss in losses[0].values())


class Chooser(torch.nn.Module):  # type: ignore[name-defined,misc] # torch is found at run time
    """Says which of two scores is the larger, in each of 32 places; they differ by `gap` times float32's roundoff."""

    def __init__(self, gap: float) -> None:
        super().__init__()
        self.gap = gap
        self.scores = torch.nn.Identity()

    def forward(self, x: Any) -> Any:
        """The larger score and its number."""
        scores = torch.ones(32, 2, dtype=x.dtype)
        scores[:, 1] += self.gap * 2.0**-24
        scores = self.scores(scores)
        order = scores.sort(1, descending=True)
        return {"best": order.values[:, 0], "number": order.indices[:, 0]}


@pytest.mark.parametrize(("gap", "judged"), [(1.0, False), (8.0, False), (64.0, True)])
def test_a_choice_is_judged_where_no_allowed_error_changes_it(
    monkeypatch: pytest.MonkeyPatch, gap: float, judged: bool
) -> None:
    """Two scores that differ by less than the allowance may come in any order, and their sizes are judged."""
    sensitivity = refer(planted(monkeypatch, Chooser(gap), inputs=[image_input("x", (1, 3, 4, 4))]))["sensitivity"]
    assert sensitivity["output['number']"] == (0.0 if judged else math.inf)
    assert 0.0 < sensitivity["output['best']"] < 5 * 2.0**-24


def test_a_model_that_chooses_nothing_is_run_as_often_as_before() -> None:
    """The two wide draws are for what selects; max pooling and ReLU are no selection."""
    perturbations = module("models.rounding_hooks").perturbations
    count = len(list(perturbations("float32", {}, selects=False)))
    assert len(list(perturbations("float32", {}, selects=True))) == count + 2
    with module("models.data_dependent_ops").DataDependentOps() as ops:
        torch.nn.functional.max_pool2d(torch.rand(1, 2, 4, 4), 2).relu()
    assert not ops.selects
    with module("models.data_dependent_ops").DataDependentOps() as ops:
        torch.where(torch.rand(4) > 0.5)
    assert ops.selects
