"""The ids of cases and models in a record, which a stranger may have written: they lead out of no folder."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

from harness.suites import is_name


def _checked_id(text: str) -> str:
    """The id. Raises ValueError for one that no suite gives."""
    suite, _, name = text.partition("::")
    if not is_name(name) or PurePosixPath(suite).suffix != ".yaml":
        raise ValueError("an id is the path of a suite, '::' and a name, such as suites/x/pooling.yaml::max_pool2d")
    _checked_path(suite)
    return text


def _checked_path(text: str) -> str:
    """The path of a suite. Raises ValueError for one that leads out of the project, or to no YAML file."""
    path = PurePosixPath(text)
    if path.suffix != ".yaml":
        raise ValueError("the path of a suite ends with .yaml")
    if ".." in path.parts and not path.is_absolute():
        raise ValueError("the path of a suite is below the root of the project, or absolute; this one leads out of it")
    return text


ItemId = Annotated[str, AfterValidator(_checked_id)]
"""``<suite file>::<name>``."""

SuitePath = Annotated[str, AfterValidator(_checked_path)]
"""The path of a suite file, as the id of an item begins."""
