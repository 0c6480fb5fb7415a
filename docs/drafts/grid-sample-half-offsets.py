# grid-sample-half-offsets: values at the level sse41. Exits with 1 where the fault is, else with 0.
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA="SSE41", ATEN_CPU_CAPABILITY="default")
import torch
torch.set_num_threads(1)

def run(contiguous=False, exact=False):
    """output[0] of these tensors, as they are laid out here or contiguous; `exact`: in float64."""
    torch.manual_seed(0)
    t = {
        "input": torch.randint(-3, 4, (32944,)).to(torch.float16).reshape((1, 16, 29, 71)).permute((0, 3, 1, 2)),
        "grid": torch.full((2,), 1, dtype=torch.float16).reshape((1, 1, 1, 2)),
    }
    t = {name: x.clone(memory_format=torch.contiguous_format) if contiguous else x for name, x in t.items()}
    t = {name: x.double() if exact and x.is_floating_point() else x for name, x in t.items()}
    leaves = [t[name].requires_grad_() for name in ['input', 'grid']]
    y = torch.nn.functional.grid_sample(t["input"], t["grid"], mode="bilinear", padding_mode="zeros", align_corners=False)
    outputs = [*y] if isinstance(y, (tuple, list)) else [y]
    return outputs[0]

expected = run(contiguous=True, exact=True)
wrong_in = set()
for contiguous in (True, False):
    y = run(contiguous)
    info = torch.finfo(torch.float16)
    unit = info.eps * 2.0 ** expected.abs().clamp(min=info.tiny).log2().floor()  # in the last place
    wrong = ~((y.double() - expected).abs() <= 0.51 * unit) & (y != expected.to(y.dtype))
    for at in map(tuple, wrong.nonzero()[:1].tolist()):
        print(f"contiguous: {contiguous}; {wrong.sum()} of {y.numel()} elements are wrong,", end=" ")
        print(f"at {at} it is {y[at].item()} and not {expected[at].item()}")
    wrong_in |= {contiguous} if wrong.any() else set()  # of a contiguous copy it would be something else
print("the fault is here" if wrong_in == {False} else "no fault here")
sys.exit(wrong_in == {False})
