"""Where PyTorch asks for attention while a block is open, and which module asks.

Three functions of torch are replaced for as long as any block is open: attention itself, that of
`torch.nn.MultiheadAttention`, whose weights would bypass it, and the question whether modules may use
the kernels that fuse attention with what is around it. In threads without a block they do what they did.
"""

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules import module as module_hooks

from golden.errors import InputError
from onespike.torch.inputs import read_call
from onespike.torch.run import SpikingRun

_local = threading.local()
_lock = threading.Lock()
_open = 0
_undo: list[Callable[[], None]] = []


def current() -> SpikingRun | None:
    """The run of the innermost block that this thread has open."""
    runs = getattr(_local, "runs", [])
    return runs[-1] if runs else None


@contextmanager
def active(run: SpikingRun) -> Iterator[None]:
    """A block in which this thread's attention is that of `run`."""
    global _open
    with _lock:
        if not _open:
            _undo.extend(_install())
        _open += 1
    _local.runs = [*getattr(_local, "runs", []), run]
    try:
        yield
    finally:
        _local.runs = _local.runs[:-1]
        with _lock:
            _open -= 1
            while not _open and _undo:
                _undo.pop()()


class _NoGradient(torch.autograd.Function):
    """Hands spikes on, and says so where a gradient is asked for."""

    @staticmethod
    def forward(context: Any, out: Tensor, *inputs: Tensor) -> Tensor:
        return out.view_as(out)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        raise InputError("attention in spikes has no gradient: train in floats, outside of the block")


def spiking(run: SpikingRun, *arguments: Any, **options: Any) -> Tensor:
    """Attention of a run; arguments as of torch's `scaled_dot_product_attention`.

    Compiled models call it between their graphs.
    """
    if torch.compiler.is_compiling():
        return torch.compiler.disable(_spiking)(run, *arguments, **options)
    return _spiking(run, *arguments, **options)


def _spiking(run: SpikingRun, *arguments: Any, **options: Any) -> Tensor:
    run.calls += 1
    with torch.no_grad():
        out = run.attend(read_call(*arguments, **options))
    tensors = [x for x in (*arguments, *options.values()) if isinstance(x, Tensor)]
    if torch.is_grad_enabled() and any(x.requires_grad for x in tensors):
        out = _NoGradient.apply(out, *tensors)
    return out


def _install() -> list[Callable[[], None]]:
    """Replace and hook; returns what takes it back."""
    functional, mha = torch.nn.functional, torch.backends.mha
    return [
        _replace(functional, "scaled_dot_product_attention", _attention),
        _replace(functional, "multi_head_attention_forward", _multi_head_attention),
        _replace(mha, "get_fastpath_enabled", _no_fast_path),
        module_hooks.register_module_forward_pre_hook(_enter).remove,
        module_hooks.register_module_forward_hook(_leave, always_call=True).remove,
    ]


def _replace(owner: Any, name: str, ours: Callable[..., Any]) -> Callable[[], None]:
    """Put `ours`, which is told the former function, in the place of a function; returns what undoes it."""
    former = getattr(owner, name)

    @wraps(former)
    def function(*arguments: Any, **options: Any) -> Any:
        run = current()
        return former(*arguments, **options) if run is None else ours(run, former, *arguments, **options)

    def undo() -> None:
        if getattr(owner, name) is function:  # else someone put their own around it, which stays
            setattr(owner, name, former)

    setattr(owner, name, function)
    return undo


def _attention(run: SpikingRun, former: Callable[..., Tensor], *arguments: Any, **options: Any) -> Tensor:
    return spiking(run, *arguments, **options)


def _multi_head_attention(
    run: SpikingRun, former: Callable[..., Any], *arguments: Any, **options: Any
) -> tuple[Tensor, Tensor | None]:
    """With weights, torch computes its own softmax: without them it calls attention, which leaves them."""
    bound = inspect.signature(former).bind(*arguments, **options)
    bound.apply_defaults()
    asked = bound.arguments
    if not asked["need_weights"]:
        return former(*bound.args, **bound.kwargs)
    asked["need_weights"] = False
    with run.keeping_weights() as kept:
        out, _ = former(*bound.args, **bound.kwargs)
    found = kept[0].mean(dim=1) if asked["average_attn_weights"] else kept[0]
    return out, found if asked["query"].dim() == 3 else found.squeeze(0)


def _no_fast_path(run: SpikingRun, former: Callable[[], bool]) -> bool:
    return False


def _enter(module: torch.nn.Module, inputs: Any) -> None:
    run = current()
    if run is not None:
        run.enter(module)


def _leave(module: torch.nn.Module, inputs: Any, outputs: Any) -> None:
    run = current()
    if run is not None:
        run.leave(module)
