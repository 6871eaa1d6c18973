"""Rules of `state/` exchanged for others, for as long as one call takes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

Rules = Mapping[str, object]
"""What stands in the place of a name, such as `state.store.Changes.front`."""


@contextmanager
def in_force(rules: Rules) -> Iterator[None]:
    """`rules` instead of the true ones, in the whole process, until the block ends.

    Nothing else may execute batches meanwhile: so there is nothing to wait for inside.
    """
    kept: list[tuple[Any, str, object]] = []
    try:
        for name, replacement in rules.items():
            owner, attribute = _place(name)
            kept.append((owner, attribute, getattr(owner, attribute)))
            setattr(owner, attribute, replacement)
        yield
    finally:
        for owner, attribute, original in reversed(kept):
            setattr(owner, attribute, original)


def _place(name: str) -> tuple[Any, str]:
    """The module or class that holds a name, and the name within it."""
    path, attribute = name.rsplit(".", 1)
    try:
        return import_module(path), attribute
    except ModuleNotFoundError:
        module, owner = path.rsplit(".", 1)
        return getattr(import_module(module), owner), attribute
