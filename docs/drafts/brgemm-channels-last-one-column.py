# brgemm-channels-last-one-column: values at the level avx512_core. Exits with 1 where the fault is, else with 0.
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA="AVX512_CORE", ATEN_CPU_CAPABILITY="avx512")
import torch
torch.set_num_threads(1)

def run(contiguous=False, exact=False):
    """output[0] of these tensors, as they are laid out here or contiguous; `exact`: in float64."""
    t = {
        "input": torch.tensor([1.7878603, 0.6592666, 0.14080228, -1.6695819, -0.18118195, 0.13278146],
            dtype=torch.float32).reshape((2, 3, 1, 1)).permute((0, 3, 1, 2)),
        "weight": torch.tensor([-0.31605119, -0.62901908, -1.96094954, 0.46610832, -0.21663068, 1.54358363,
            -0.30117452, -0.15337281, -0.798472, -0.34962174, -0.49872041, -1.4390507, 1.76341975, -1.93697274,
            1.9735534, 0.17690511, 1.4186106, 0.23730187, -0.5359848, -0.3658751, -0.5237047, 0.71588117, 0.135042384,
            0.34430113, -0.14365561], dtype=torch.float32).reshape((1, 1, 5, 5)),
    }
    t = {name: x.clone(memory_format=torch.contiguous_format) if contiguous else x for name, x in t.items()}
    t = {name: x.double() if exact and x.is_floating_point() else x for name, x in t.items()}
    leaves = [t[name].requires_grad_() for name in ['input', 'weight']]
    y = torch.nn.functional.conv2d(t["input"], t["weight"], None, stride=(1, 2), padding=(2, 2), dilation=(1, 1), groups=1)
    outputs = [*y] if isinstance(y, (tuple, list)) else [y]
    return outputs[0]

expected = run(contiguous=True, exact=True)
wrong_in = set()
for contiguous in (True, False):
    y = run(contiguous)
    bound = 64.0 * torch.finfo(torch.float32).eps * expected.abs().max()
    wrong = ~((y - expected).abs() <= bound) & (y != expected.to(y.dtype))
    for at in map(tuple, wrong.nonzero()[:1].tolist()):
        print(f"contiguous: {contiguous}; {wrong.sum()} of {y.numel()} elements are wrong,", end=" ")
        print(f"at {at} it is {y[at].item()} and not {expected[at].item()}")
    wrong_in |= {contiguous} if wrong.any() else set()  # of a contiguous copy it would be something else
print("the fault is here" if wrong_in == {False} else "no fault here")
sys.exit(wrong_in == {False})
