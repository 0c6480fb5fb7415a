# im2col-grouped-image-weight-gradient: values at the level sse41. Exits with 1 where the fault is, else with 0.
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA="SSE41", ATEN_CPU_CAPABILITY="default")
import torch
torch.set_num_threads(1)

def run(contiguous=False, exact=False, seed=0):
    """grad:weight of these tensors, as they are laid out here or contiguous; `exact`: in float64."""
    torch.manual_seed(seed)
    t = {
        "input": torch.tensor([99, 99, 99, 99, 99, 99, 99, 99, 3, 1, -1, -1, 2, -1, 3, -2, 99, 99, 99, 99, 99, 99, 99,
            99], dtype=torch.float64).as_strided((1, 4, 1, 2), (4, 1, 8, 4), 8),
        "weight": torch.tensor([-1, -2, -3, 1], dtype=torch.float64).reshape((2, 1, 1, 2)).permute((0, 3, 1, 2)),
    }
    t = {name: x.clone(memory_format=torch.contiguous_format) if contiguous else x for name, x in t.items()}
    t = {name: x.double() if exact and x.is_floating_point() else x for name, x in t.items()}
    leaves = [t[name].requires_grad_() for name in ['input', 'weight']]
    y = torch.nn.functional.conv2d(t["input"], t["weight"], None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=2)
    outputs = [*y] if isinstance(y, (tuple, list)) else [y]
    ends = [y for y in outputs if y.requires_grad]
    grads = [torch.randint(-3, 4, y.shape).to(y.dtype) for y in ends]
    return torch.autograd.grad(ends, leaves, grads, allow_unused=True)[1]

exact = [run(contiguous=True, exact=True, seed=seed) for seed in range(10)]
wrong_in = set()
for seed, contiguous in [(seed, contiguous) for seed in range(10) for contiguous in (True, False)]:
    y, expected = run(contiguous, seed=seed), exact[seed]
    bound = 4096.0 * torch.finfo(torch.float64).eps * expected.abs().max()
    wrong = ~((y - expected).abs() <= bound) & (y != expected.to(y.dtype))
    for at in map(tuple, wrong.nonzero()[:1].tolist()):
        print(f"contiguous: {contiguous}; {wrong.sum()} of {y.numel()} elements are wrong,", end=" ")
        print(f"at {at} it is {y[at].item()} and not {expected[at].item()}")
    wrong_in |= {contiguous} if wrong.any() else set()  # of a contiguous copy it would be something else
print("the fault is here" if wrong_in == {False} else "no fault here")
sys.exit(wrong_in == {False})
