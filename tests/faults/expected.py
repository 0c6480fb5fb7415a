"""What each kernel that is wrong on purpose must be found as: its item, its finding, and the smallest example of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NHWC = {"input": "channels_last"}
IMAGE = {"N": 1, "C": 1, "H": 1, "W": 1}
VOLUME = {"D": 1, "N": 1, "H": 1, "W": 1}
POOL = {
    "kernel": (1, 1), "stride": (1, 1), "by_kernel": False, "pad_h": 0, "pad_w": 0,
    "count_include_pad": True, "divisor": None,
}  # fmt: skip
POOL3D = POOL | {"kernel": (1, 1, 1), "stride": (1, 1, 1), "pad_d": 0}
UNPOOL = {"kernel": (1, 1), "stride": (1, 1), "pad_h": 0, "pad_w": 0, "extra_h": 0, "extra_w": 0}
PAD = {"before": (0, 0), "after": (0, 0)}
ATTENTION = {"N": 1, "heads": 1, "L": 4, "d": 4, "shared": 1, "causal": False, "scale": None}
CONV = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": (0, 0)}


@dataclass(frozen=True)
class Fault:
    """What finds a planted kernel, and the least example of it: `sizes` in full, `layouts` those not contiguous.

    `cells` empty: every level. `present` names the optional tensors that the fault needs.
    """

    item: str
    finding: tuple[str, str, str]
    sizes: dict[str, Any]
    layouts: dict[str, str] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    fill: str = "integers"
    threads: int = 1
    inplace: bool = False
    path: str = "plain"

    @property
    def key(self) -> tuple[str, str]:
        """Oracle and tensor."""
        return self.finding[:2]


OUTPUT = ("values", "output[0]")

FAULTS = {
    "tail_of_8_channels": Fault("relu[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "tail_of_16_channels": Fault("silu[bfloat16]", (*OUTPUT, "layout"), IMAGE | {"C": 17, "W": 2}, NHWC),
    "one_channel": Fault("relu_3d[float64]", (*OUTPUT, "layout"), IMAGE | {"D": 1, "W": 2}, NHWC),
    "one_column": Fault("avg_pool2d[float32]", (*OUTPUT, "universal"), IMAGE | POOL | {"ceil_mode": False, "H": 2}),
    "third_sample": Fault("adaptive_avg_pool2d[float32]", (*OUTPUT, "universal"), IMAGE | {"N": 3, "out": (1, 2)}),
    "both_formats": Fault("softshrink[float32]", (*OUTPUT, "universal"), IMAGE | {"H": 3, "lambd": 0.5}),
    "last_channel_of_a_shuffle": Fault(
        "pixel_shuffle[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "r": 1, "W": 2}, NHWC
    ),
    "padded_on_the_right": Fault(
        "pad_reflect[float32]", (*OUTPUT, "layout"), IMAGE | PAD | {"C": 2, "after": (0, 1), "W": 2}, NHWC
    ),
    "gradient_of_a_border": Fault(
        "pad_replicate[float64]", ("values", "grad:input", "universal"), IMAGE | PAD | {"after": (1, 0)}
    ),
    "format_lost_by_a_flip": Fault(
        "flip[float64]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2, "dims": (3,)}, NHWC
    ),
    "dilated": Fault(
        "conv2d_depthwise[float64]",
        (*OUTPUT, "universal"),
        IMAGE | CONV | {"C": 2, "multiplier": 1, "kernel": (1, 2), "dilation": (1, 2), "W": 3},
    ),
    "grouped": Fault(
        "conv2d[float32]",
        (*OUTPUT, "layout"),
        CONV | {"N": 1, "groups": 2, "Cg": 1, "Kg": 1, "H": 1, "W": 2},
        NHWC,
    ),
    "ceil_mode_only": Fault("avg_pool2d[float64]", (*OUTPUT, "universal"), IMAGE | POOL | {"ceil_mode": True, "W": 2}),
    "one_isa_level": Fault("sigmoid[float32]", (*OUTPUT, "isa"), IMAGE, cells=("avx2",)),
    "two_threads": Fault("sigmoid[float64]", (*OUTPUT, "universal"), IMAGE | {"N": 2}, threads=2),
    "in_place_only": Fault("silu[float64]", (*OUTPUT, "universal"), IMAGE | {"W": 2}, inplace=True),
    "strided_only": Fault("tanh[float64]", (*OUTPUT, "layout"), IMAGE | {"W": 2}, {"input": "channels_last:slice_c"}),
    "unaligned": Fault("mish[float64]", (*OUTPUT, "layout"), IMAGE, {"input": "contiguous:offset"}),
    "refuses_channels_last": Fault("hardtanh[float32]", ("error", "", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "nan_is_lost": Fault("hardtanh[float64]", (*OUTPUT, "universal"), IMAGE, fill="special"),
    "nan_is_lost_in_one_format": Fault(
        "silu[float16]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="special"
    ),
    "sign_of_zero_is_lost": Fault(
        "hardswish[float64]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="special"
    ),
    "wrong_index": Fault(
        "adaptive_max_pool2d_with_indices[float32]",
        ("values", "output[1]", "layout"),
        IMAGE | {"C": 2, "W": 2, "out": (1, 2)},
        NHWC,
    ),
    "accumulates_in_bfloat16": Fault(
        "adaptive_avg_pool3d[float32]", (*OUTPUT, "universal"), IMAGE | {"D": 1, "out": (1, 1, 2)}, fill="reals"
    ),
    "computed_in_float32": Fault("gelu[float64]", (*OUTPUT, "universal"), IMAGE | {"approximate": "none"}),
    "memory_nobody_wrote": Fault("hardsigmoid[float32]", (*OUTPUT, "universal"), IMAGE | {"W": 3}),
    "gradient_of_the_weight": Fault(
        "conv2d_depthwise[float64]",
        ("values", "grad:weight", "universal"),
        IMAGE | CONV | {"C": 2, "multiplier": 1, "kernel": (1, 2), "W": 2},
    ),
    "gradient_of_the_bias": Fault(
        "conv2d[float32]",
        ("values", "grad:bias", "universal"),
        CONV | {"N": 1, "groups": 1, "Cg": 1, "Kg": 2, "H": 1, "W": 1},
        present=("bias",),
    ),
    "contiguous_grad_output": Fault(
        "silu[float32]", ("values", "grad:input", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC
    ),
    "format_lost": Fault("hardswish[float32]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "format_of_the_gradient_lost": Fault(
        "adaptive_avg_pool2d[float64]",
        ("strides", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "out": (1, 2)},
        NHWC | {"grad_output": "channels_last"},
    ),
    "second_group": Fault(
        "group_norm[float64]",
        (*OUTPUT, "universal"),
        VOLUME | {"groups": 2, "Cg": 1, "W": 2, "eps": 0.00001},
        fill="reals",
    ),
    "gradient_of_a_scale": Fault(
        "batch_norm_training[float32]",
        ("values", "grad:weight", "layout"),
        VOLUME | {"C": 2, "W": 2, "momentum": 0.125, "eps": 0.00001},
        NHWC,
        fill="reals",
    ),
    "format_of_a_norm_lost": Fault(
        "group_norm[float32]",
        ("strides", "output[0]", "layout"),
        VOLUME | {"groups": 1, "Cg": 2, "W": 2, "eps": 0.00001},
        NHWC,
        fill="reals",
    ),
    "last_column_of_a_resampled_image": Fault(
        "bilinear[float32]",
        (*OUTPUT, "layout"),
        IMAGE | {"C": 2, "W": 2, "P": 1, "Q": 2, "align_corners": False},
        NHWC,
        fill="reals",
    ),
    "format_of_a_resampled_gradient_lost": Fault(
        "nearest[float64]",
        ("strides", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "by": "scale", "scale": (1.0, 1.0)},
        NHWC | {"grad_output": "channels_last"},
    ),
    "bytes_cut_off": Fault(
        "bilinear[uint8]",
        (*OUTPUT, "layout"),
        IMAGE | {"C": 2, "W": 2, "P": 2, "Q": 1, "align_corners": False},
        NHWC,
        fill="reals",
    ),
    "last_channel_of_a_copy": Fault("clone[uint8]", (*OUTPUT, "layout"), IMAGE | {"D": 1, "C": 2, "W": 2}, NHWC),
    "format_of_a_factory_lost": Fault(
        "full_like[int32]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2, "value": 2}, NHWC, fill="reals"
    ),
    "last_query": Fault("scaled_dot_product_attention[float32]", (*OUTPUT, "universal"), ATTENTION),
    "gradient_of_the_keys": Fault(
        "scaled_dot_product_attention[float32]",
        ("values", "grad:key", "universal"),
        ATTENTION,
    ),
    "mask_for_each_image": Fault(
        "atan2[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "kept": (True, False, True)}, NHWC
    ),
    "format_of_the_first_lost": Fault(
        "maximum[float64]",
        ("strides", "output[0]", "layout"),
        IMAGE | {"C": 2, "W": 2, "kept": (True, True, True)},
        NHWC,
    ),
    "product_of_a_column": Fault(
        "addcmul[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "value": 1}, {"input": "channels_last"}
    ),
    "format_of_three_lost": Fault(
        "lerp[float64]",
        ("strides", "output[0]", "layout"),
        IMAGE | {"C": 2, "W": 2, "kept": (True, True, True)},
        NHWC,
    ),
    "last_channel_put_back": Fault(
        "max_unpool2d[float32]", (*OUTPUT, "layout"), IMAGE | UNPOOL | {"C": 2, "W": 2}, NHWC
    ),
    "gradient_of_a_last_window": Fault(
        "fractional_max_pool2d[float64]",
        ("values", "grad:input", "universal"),
        {"N": 1, "C": 1, "kernel": (1, 1), "out": (2, 1), "alpha": (1, 1), "sample": 0.25},
    ),
    "extreme_of_the_channels": Fault(
        "amax[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "over": (1,), "keepdim": True}, NHWC
    ),
    "gradient_of_the_last_class": Fault(
        "softmax[float32]",
        ("values", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "dim": 1},
        {"grad_output": "channels_last"},
        fill="reals",
    ),
    "ignored_pixels_count": Fault(
        "nll_loss[float32]", (*OUTPUT, "universal"), IMAGE | {"reduction": "mean", "ignored": 1}, fill="reals"
    ),
    "behind_a_refused_backward": Fault(
        "nll_loss[float64]",
        (*OUTPUT, "layout"),
        IMAGE | {"C": 2, "W": 2, "reduction": "mean", "ignored": -100},
        NHWC,
        fill="reals",
    ),
    "mean_in_bfloat16": Fault(
        "mse_loss[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "reduction": "mean"}, NHWC, fill="reals"
    ),
    "sum_without_the_last": Fault(
        "huber_loss[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "H": 2, "reduction": "sum"}, NHWC, fill="reals"
    ),
    "gradient_without_a_mean": Fault(
        "mse_loss[float64]",
        ("values", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "reduction": "none"},
        NHWC,
        fill="reals",
    ),
    "last_of_the_channels": Fault("erfinv[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="reals"),
    "format_of_a_root_lost": Fault(
        "rsqrt[float64]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="reals"
    ),
    "second_of_a_list": Fault("cat[uint8]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, {"second": "channels_last"}),
    "given_memory": Fault(
        "cat[int16]", (*OUTPUT, "layout"), IMAGE | {"W": 2}, {"grad_output": "channels_last"}, path="out"
    ),
    "answers_where_it_must_refuse": Fault(
        "avg_pool3d[bfloat16]",
        ("error", "", "layout"),
        IMAGE | POOL3D | {"C": 2, "D": 1, "ceil_mode": False, "W": 2},
        NHWC,
    ),
    "imaginary_part": Fault(
        "where[complex64]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, {"condition": "channels_last"}
    ),
    "index_outside": Fault("argmax[float64]", ("range", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "answer_in_numbers": Fault("gt[float32]", ("dtype", "output[0]", "universal"), IMAGE),
    "running_statistics": Fault(
        "running_mean[bfloat16]", ("values", "buffer:running_mean", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC
    ),
    "statistics_written_in_evaluation": Fault(
        "BatchNorm2d[float32]",
        ("values", "buffer:running_var", "layout"),
        IMAGE | {"C": 2, "H": 2, "train": False, "momentum": 0.1},
        NHWC,
        fill="reals",
    ),
    "format_of_a_volumes_gradient_lost": Fault(
        "BatchNorm3d[float64]",
        ("strides", "grad:input", "layout"),
        IMAGE | {"C": 2, "D": 1, "H": 2, "train": True, "momentum": 0.1},
        NHWC | {"grad_output": "channels_last"},
        fill="reals",
    ),
    "input_overwritten": Fault("elu[float32]", ("written", "input", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "every_tenth_call": Fault("mish[float32]", ("repeat", "output[0]", "unstable"), IMAGE),
    "spoiled_by_an_earlier_call": Fault("logsigmoid[float32]", (*OUTPUT, "universal"), IMAGE),
    "segfault": Fault("leaky_relu[float32]", ("crash", "", "crash"), IMAGE | {"C": 3, "W": 2, "slope": 0.25}, NHWC),
    "endless": Fault("tanh[float32]", ("hang", "", "hang"), IMAGE | {"N": 2, "C": 4}),
}
