"""PyTorch, imported where it is first used: that takes seconds, and it comes with the extra ``bitrate[train]``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["functional", "torch"]

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:

    class _Lazy:
        """Stands for a module. Special attributes are its own, so that whoever inspects it imports nothing."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            return getattr(import_module(self._name), attribute)

    torch, functional = _Lazy("torch"), _Lazy("torch.nn.functional")
