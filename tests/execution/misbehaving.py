"""A preload file: operators that misbehave in a cell, and are the identity in the reference, where oneDNN is off."""

# Written as users write operators: bare.
# ruff: noqa: ANN001, ANN201, ANN205, ARG001, ARG004, SLF001

import itertools
import os
import signal
import time

import torch

_calls = itertools.count()


def _in_cell() -> bool:
    return torch._C._get_mkldnn_enabled()


def convolved_where_wide(x):
    """The identity; a convolution where there are more than 8 columns."""
    if x.shape[-1] <= 8:
        return x * 1
    weight = torch.zeros(x.shape[1], x.shape[1], 3, 3, dtype=x.dtype)
    weight[:, :, 1, 1] = torch.eye(x.shape[1])
    return torch.nn.functional.conv2d(x, weight, padding=1)


def crash(x, only=None):
    """Die of a segmentation fault (if the tensor has `only` elements)."""
    if _in_cell() and only in {None, x.numel()}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return x * 1


def leave(x):
    """End the process with an exit status."""
    if _in_cell():
        os.write(2, b"no way to go on\n")
        os._exit(7)
    return x * 1


def hang(x):
    """Never come back."""
    while _in_cell():
        time.sleep(1)
    return x * 1


def stop(x):
    """Be stopped from outside."""
    if _in_cell():
        os.kill(os.getpid(), signal.SIGSTOP)
    return x * 1


def slow(x):
    """Take a while."""
    time.sleep(0.02)
    return x * 1


def scribble(x):
    """Write to the input's memory."""
    x.detach().view(-1)[0] = 99.0
    return x * 1


def scribble_between(x):
    """Write to an element of the buffer that is not one of the tensor's."""
    x.detach().as_strided((1,), (1,), 0)[0] = 99.0
    return x * 1


def scribble_back(x):
    """Write to grad_output in backward."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value * 1

        @staticmethod
        def backward(ctx, grad_output):
            if _in_cell():
                grad_output.view(-1)[0] = 99.0
            return grad_output * 1

    return Function.apply(x)


def greedy(x, gibibytes):
    """Take memory, and write to all of it."""
    return x + torch.ones(gibibytes, 2**30, dtype=torch.uint8)[0, 0]


def unsteady(x):
    """Give another answer each time."""
    return x + next(_calls)


def unwritten(x):
    """Hand back memory that nobody wrote."""
    return torch.empty(x.shape, dtype=x.dtype)


def several(x):
    """Return tensors of several kinds in nested containers, and things that are none."""
    return {"a": (x * 2, None, 3), "b": [x.argmax(), x > 0]}


def refuse(x):
    """Raise with a message of two lines."""
    raise ValueError("not today\nnor tomorrow")


def refuse_backward(x):
    """Raise in backward only."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value * 1

        @staticmethod
        def backward(ctx, grad_output):
            raise NotImplementedError("no derivative")

    return Function.apply(x)


def refuse_one_gradient(x, y):
    """The product; backward raises where the gradient of y is asked for."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, first, second):
            ctx.save_for_backward(second)
            return first * second

        @staticmethod
        def backward(ctx, grad_output):
            if ctx.needs_input_grad[1]:
                raise NotImplementedError("no derivative")
            return grad_output * ctx.saved_tensors[0], None

    return Function.apply(x, y)


def crash_in_one_gradient(x, y):
    """The product; die where the gradient of y is asked for."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, first, second):
            ctx.save_for_backward(first, second)
            return first * second

        @staticmethod
        def backward(ctx, grad_output):
            if _in_cell() and ctx.needs_input_grad[1]:
                os.kill(os.getpid(), signal.SIGSEGV)
            first, second = ctx.saved_tensors
            return grad_output * second, grad_output * first

    return Function.apply(x, y)


def wrong_twice(x):
    """A right gradient, whose own derivative is twice what it should be."""

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            ctx.save_for_backward(value)
            return value * value

        @staticmethod
        def backward(ctx, grad_output):
            (value,) = ctx.saved_tensors
            return grad_output * (4 * value - 2 * value.detach())

    return Square.apply(x)


def swap_slices(x):
    """The identity, whose batching rule swaps the two slices of a vmap."""

    class Identity(torch.autograd.Function):
        @staticmethod
        def forward(value):
            return value * 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, grad_output):
            return grad_output

        @staticmethod
        def vmap(info, in_dims, value):
            return value.flip(in_dims[0]), in_dims[0]

    return Identity.apply(x)


def surroundings(x):
    """How many of the variables that must not be inherited are there, and what the fixed ones say."""
    foreign = sum(name.startswith("KMP_") or name == "MKLDNN_MAX_CPU_ISA" for name in os.environ)
    return torch.tensor([foreign, int(os.environ["MALLOC_PERTURB_"]), int(os.environ["OMP_NUM_THREADS"])])


def tell_settings(x):
    """What the settings of PyTorch are while the call is made, in the elements of a tensor."""
    threads = torch.get_num_threads()
    is_narrow = torch.get_default_dtype() == torch.float32
    settings = [torch.backends.mkldnn.enabled, torch.are_deterministic_algorithms_enabled(), is_narrow, threads > 2]
    return torch.tensor(settings, dtype=x.dtype)


def fail_on_settings(x):
    """Raises, whatever the settings."""
    raise ValueError("spoilt")


def pid(x):
    """The process that runs this."""
    return torch.tensor([os.getpid(), torch.get_num_threads()])


def double_(x):
    """An in-place form that returns nothing."""
    x.mul_(2)


def double(x):
    """Twice x."""
    return x * 2


def forms(x):
    """One operator in place, one with `out=`, and a cast there and back: well-behaved."""
    y = x.detach().clone().neg_()
    return torch.add(y, y, out=torch.empty_like(y)).to(torch.float64).to(x.dtype)


def spills(x):
    """Write the element after each of the tensor's own, where there is one."""
    wide = x.as_strided((2 * x.numel(),), (1,)) if x.stride(0) == 2 else x
    wide.add_(1)
    return x + 0


def widens(x):
    """Return the half types in float32, and everything else as it is."""
    return x.float() if x.element_size() == 2 else x * 1
