# cross-entropy-smoothing-overflows: values at the level sse41. Exits with 1 where the fault is, else with 0.
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA="SSE41", ATEN_CPU_CAPABILITY="default")
import torch
torch.set_num_threads(1)

def run(contiguous=False, exact=False):
    """output[0] of these tensors, as they are laid out here or contiguous; `exact`: in float64."""
    torch.manual_seed(0)
    t = {
        "input": torch.randn((49104,)).to(torch.float16).to(torch.float16).reshape((16, 3, 33, 31)).permute((0, 3, 1, 2)),
        "target": torch.randint(0, 31, (1584,)).to(torch.int64).reshape((16, 3, 33)),
        "weight": torch.tensor([1.3516, 0.8242, 0.7969, 0.791, 0.4629, 1.338, 1.2285, 1.84, 0.6348, 1.0938, 1.4707,
            0.6738, 1.912, 0.877, 1.0977, 1.172, 1.076, 1.8945, 0.668, 0.7695, 1.4023, 0.3652, 0.707, 0.4141, 0.9277,
            0.498, 0.9102, 1.0312, 0.2793, 0.2754, 0.7012], dtype=torch.float16),
    }
    t = {name: x.clone(memory_format=torch.contiguous_format) if contiguous else x for name, x in t.items()}
    t = {name: x.double() if exact and x.is_floating_point() else x for name, x in t.items()}
    leaves = [t[name].requires_grad_() for name in ['input']]
    y = torch.nn.functional.cross_entropy(t["input"], t["target"], weight=t["weight"], reduction="mean", ignore_index=-100,
        label_smoothing=0.125)
    outputs = [*y] if isinstance(y, (tuple, list)) else [y]
    return outputs[0]

expected = run(contiguous=True, exact=True)
is_wrong = False
for contiguous in (True, False):
    y = run(contiguous)
    info = torch.finfo(torch.float16)
    unit = info.eps * 2.0 ** expected.abs().clamp(min=info.tiny).log2().floor()  # in the last place
    wrong = ~((y.double() - expected).abs() <= 0.51 * unit) & (y != expected.to(y.dtype))
    for at in map(tuple, wrong.nonzero()[:1].tolist()):
        print(f"contiguous: {contiguous}; {wrong.sum()} of {y.numel()} elements are wrong,", end=" ")
        print(f"at {at} it is {y[at].item()} and not {expected[at].item()}")
    is_wrong |= bool(wrong.any())
print("the fault is here" if is_wrong else "no fault here")
sys.exit(is_wrong)
