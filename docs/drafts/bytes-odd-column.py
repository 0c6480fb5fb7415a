# bytes-odd-column: values at the level avx2. Exits with 1 where the fault is, else with 0.
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2")
import torch
torch.set_num_threads(1)

def run(contiguous=False, exact=False):
    """output[0] of these tensors, as they are laid out here or contiguous; `exact`: in float64."""
    t = {
        "input": torch.tensor([155, 178, 121, 220, 195], dtype=torch.uint8).as_strided((1, 1, 5, 1), (7, 0, 1, 5)),
    }
    t = {name: x.clone(memory_format=torch.contiguous_format) if contiguous else x for name, x in t.items()}
    t = {name: x.double() if exact and x.is_floating_point() else x for name, x in t.items()}
    y = torch.nn.functional.interpolate(t["input"], size=(7, 1), mode="bilinear", align_corners=False)
    outputs = [*y] if isinstance(y, (tuple, list)) else [y]
    return outputs[0]

expected = run(contiguous=True, exact=True)
wrong_in = set()
for contiguous in (True, False):
    y = run(contiguous)
    wrong = y != expected
    for at in map(tuple, wrong.nonzero()[:1].tolist()):
        print(f"contiguous: {contiguous}; {wrong.sum()} of {y.numel()} elements are wrong,", end=" ")
        print(f"at {at} it is {y[at].item()} and not {expected[at].item()}")
    wrong_in |= {contiguous} if wrong.any() else set()  # of a contiguous copy it would be something else
print("the fault is here" if wrong_in == {False} else "no fault here")
sys.exit(wrong_in == {False})
