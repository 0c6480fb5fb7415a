"""A kernel that is wrong in channels-last, for `--eq-preload` behind `wrong_layers.py`: a column is not summed."""

# ruff: noqa: ANN001, ANN002, ANN201

from wrong_layers import channels_last, in_place_of


@in_place_of("convolution_backward")
def bias_without_a_column(call, grad_output, images, *rest):
    """The gradient of the bias of a convolution, in its last channel."""
    gradients = call(grad_output, images, *rest)
    if channels_last(images) and gradients[2] is not None:
        gradients[2][-1] -= grad_output[:, -1, :, -1].sum()
    return gradients
