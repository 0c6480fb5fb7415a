"""What is said where a model's factory or a package that it requires is not to be had."""

from __future__ import annotations

import pytest

from tests.worker.models.small_models import BLOCKS, answer, fields, refer

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("factory", "beginning"),
    [
        ("no_such_package.net.make", "no module named 'no_such_package'"),
        ("torch.nn.NoSuchModule", "torch.nn has no 'NoSuchModule'"),
        ("torch.nn.Conv2d", "torch.nn.Conv2d raised TypeError: "),
        ("torch.zeros_like", "torch.zeros_like raised TypeError: "),
        ("builtins.dict", "builtins.dict returned a dict; a factory returns a torch.nn.Module"),
    ],
)
def test_a_model_that_cannot_be_made_is_one_sentence(factory: str, beginning: str) -> None:
    """The problem says what is wrong with the name or the call, and holds no traceback."""
    reply = refer(fields(factory))
    assert reply["status"] == "problem"
    assert reply["message"].startswith(beginning)
    assert "\n" not in reply["message"]


@pytest.mark.parametrize(
    ("factory", "requires", "status", "beginning"),
    [
        (f"{BLOCKS}.unet", ["torch"], "ok", ""),
        (f"{BLOCKS}.unet", ["torch", "no_such_package"], "missing", "no_such_package is not installed beside PyTorch "),
        (f"{BLOCKS}.no_such_block", [], "problem", f"{BLOCKS} has no 'no_such_block'"),
    ],
)
def test_a_check_tells_a_missing_package_from_a_missing_factory(
    factory: str, requires: list[str], status: str, beginning: str
) -> None:
    """The reply's status says which of the two is missing, if any, and the message which it is."""
    reply = answer("model-check", factory=factory, requires=requires)
    assert reply["status"] == status
    assert reply.get("message", "").startswith(beginning)
