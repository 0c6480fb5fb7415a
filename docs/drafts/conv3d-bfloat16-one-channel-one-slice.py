# conv3d-bfloat16-one-channel-one-slice: values at the level avx512_core_bf16. Exits with 1 where the fault is, else with 0.
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA="AVX512_CORE_BF16", ATEN_CPU_CAPABILITY="avx512")
import torch
torch.set_num_threads(1)

def run(contiguous=False, exact=False):
    """output[0] of these tensors, as they are laid out here or contiguous; `exact`: in float64."""
    torch.manual_seed(0)
    t = {
        "input": torch.tensor([1, 2, 2, -2], dtype=torch.bfloat16).reshape((1, 1, 2, 2, 1)).permute((0, 4, 1, 2, 3)),
        "weight": torch.randint(-2, 3, (132,)).to(torch.bfloat16).reshape((33, 1, 2, 1, 2)),
    }
    t = {name: x.clone(memory_format=torch.contiguous_format) if contiguous else x for name, x in t.items()}
    t = {name: x.double() if exact and x.is_floating_point() else x for name, x in t.items()}
    leaves = [t[name].requires_grad_() for name in ['input', 'weight']]
    y = torch.nn.functional.conv3d(t["input"], t["weight"], None, stride=(1, 1, 1), padding=(1, 0, 0), dilation=(1, 1, 1),
        groups=1)
    outputs = [*y] if isinstance(y, (tuple, list)) else [y]
    return outputs[0]

expected = run(contiguous=True, exact=True)
wrong_in = set()
for contiguous in (True, False):
    y = run(contiguous)
    info = torch.finfo(torch.bfloat16)
    unit = info.eps * 2.0 ** expected.abs().clamp(min=info.tiny).log2().floor()  # in the last place
    wrong = ~((y.double() - expected).abs() <= 0.51 * unit) & (y != expected.to(y.dtype))
    for at in map(tuple, wrong.nonzero()[:1].tolist()):
        print(f"contiguous: {contiguous}; {wrong.sum()} of {y.numel()} elements are wrong,", end=" ")
        print(f"at {at} it is {y[at].item()} and not {expected[at].item()}")
    wrong_in |= {contiguous} if wrong.any() else set()  # of a contiguous copy it would be something else
print("the fault is here" if wrong_in == {False} else "no fault here")
sys.exit(wrong_in == {False})
