"""PyTorch, imported where it is first used: that takes seconds, and it comes with the extra ``bitrate[train]``.

Classes are here to annotate with, and mean nothing at run time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Generator", "ModuleDict", "Optimizer", "Tensor", "functional", "torch"]

if TYPE_CHECKING:
    import torch
    from torch import Generator, Tensor
    from torch.nn import ModuleDict, functional
    from torch.optim import Optimizer
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
    Generator = ModuleDict = Optimizer = Tensor = Any
