"""The modules of a converted model, from what a worker says of their calls."""

from __future__ import annotations

from harness.models.model import BASELINE, FULL_CONVERSION, ModelObservation, ModuleRecord
from harness.models.module_layout import ModuleLayout, TensorFormat, module_layouts
from harness.portable.model_protocol import ModuleLayoutData, TensorLayout

NHWC: TensorLayout = ("nhwc", "float32", [1, 8, 4, 4])
NCHW: TensorLayout = ("nchw", "float32", [1, 8, 4, 4])


def call(path: str, got: TensorLayout, gave: TensorLayout, calls: int = 1) -> ModuleLayoutData:
    """What a worker says of the calls of a module with one tensor in and one out."""
    return {"path": path, "class_name": "Conv2d", "inputs": [got], "outputs": [gave], "calls": calls}


def runs(*calls: ModuleLayoutData, before: int = 0, after: int = 0) -> list[ModelObservation]:
    """A run with nothing converted and one with all of it, with so many reorders in the second of two calls of `a`."""
    plain, converted = (
        (ModuleRecord("a", "Conv2d", (), (), 1), ModuleRecord("a", "Conv2d", (), (), count))
        for count in (before, after)
    )
    return [
        ModelObservation("avx2", BASELINE, "ok", modules=plain),
        ModelObservation("avx2", FULL_CONVERSION, "ok", modules=converted, module_layouts=calls),
    ]


def test_calls_with_other_formats_are_of_one_module() -> None:
    """Its reorders are those of all its calls, before and after."""
    [layout] = module_layouts(runs(call("a", NHWC, NHWC, 3), call("a", NCHW, NHWC), before=4, after=2))
    assert (layout.path, layout.class_name, layout.call_count) == ("a", "Conv2d", 4)
    assert [each.inputs[0].format for each in layout.calls] == ["nhwc", "nchw"]
    assert (layout.reorders_nchw, layout.reorders_nhwc) == (5, 3)
    assert layout.calls[0].outputs == (TensorFormat(format="nhwc", dtype="float32", shape=(1, 8, 4, 4)),)


def test_a_module_that_was_not_called_has_no_calls() -> None:
    """It keeps its place in the order."""
    layouts = module_layouts(runs(call("a", NHWC, NHWC), call("unused", NHWC, NHWC, 0)))
    assert [(layout.path, layout.call_count) for layout in layouts] == [("a", 1), ("unused", 0)]
    assert layouts[1].calls == ()


def test_without_a_converted_run_there_are_none() -> None:
    """As where the worker died over it."""
    assert module_layouts(runs(call("a", NHWC, NHWC))[:1]) == ()


def test_a_module_comes_out_of_json_as_it_went_in() -> None:
    """The class goes by its own name there."""
    [layout] = module_layouts(runs(call("a", NHWC, NCHW)))
    text = layout.model_dump_json(by_alias=True)
    assert '"class":"Conv2d"' in text
    assert ModuleLayout.model_validate_json(text) == layout
