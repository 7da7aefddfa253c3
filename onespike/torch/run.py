"""Attention in spikes for as long as a block lasts: what is computed how, and what is remembered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from golden.attention.config import CoreConfig
from golden.attention.job import HeadScales
from golden.code import PhaseCode, check_range
from golden.errors import InputError, quoted
from onespike.torch.inputs import Call
from onespike.torch.job import blocks, heads_of, on_heads, prepare
from onespike.torch.layers import Layer, Shape
from onespike.torch.report import Report, report_of
from onespike.torch.scales import Ranges, check_given, of_block, scales_of, survey
from onespike.torch.spikes import compute, decode, weights

ScaleMode = Literal["dynamic", "calibrated"]


@dataclass
class _Frame:
    """A module whose forward is running, and how often it has attended so far."""

    module: torch.nn.Module
    attended: int = 0


@dataclass(kw_only=True)
class SpikingRun:
    """What a block of `spiking_attention` computes and remembers.

    Attributes:
        code: of all spikes.
        window: Ts, steps of the WOSS ramp.
        scales: "dynamic", "calibrated", or the scales of each layer.
        batches: first calls of a layer that calibrate it.
        counting: whether layers are counted, for the report.
        calls: of attention, also those that were refused.
        layers: counts by name of the layer.
        ranges: what calibration has seen, by name of the layer.
    """

    code: PhaseCode
    window: int
    scales: ScaleMode | Mapping[str, HeadScales]
    batches: int
    counting: bool
    calls: int = 0
    layers: dict[str, Layer] = field(default_factory=dict)
    ranges: dict[str, Ranges] = field(default_factory=dict)
    _frames: list[_Frame] = field(default_factory=list)
    _roots: list[torch.nn.Module] = field(default_factory=list)
    _names: dict[torch.nn.Module, dict[torch.nn.Module, str]] = field(default_factory=dict)
    _kept: list[list[Tensor]] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_range("window", self.window, 1, self.code.steps)
        check_range("batches", self.batches, 1, 1 << 20)
        if self.scales not in ("dynamic", "calibrated") and not isinstance(self.scales, Mapping):
            raise InputError(
                "scales must be dynamic, calibrated, or the scales of a run by layer, "
                f"not {quoted(self.scales)}"
            )

    @property
    def calibration(self) -> dict[str, HeadScales]:
        """Scales of each layer as calibrated so far; what `scales` of another block takes."""
        return {name: scales_of(ranges.largest) for name, ranges in self.ranges.items()}

    def report(self, core: CoreConfig | None = None) -> Report:
        """Error, spikes, phases, cycles and energy of every layer.

        Args:
            core: whose cycles and energy; the preset `default` with the code of the block when absent.
                Tokens and features are raised to what a layer needs.

        Raises:
            InputError: nothing was counted, or the core has another code.
        """
        if not self.counting:
            raise InputError("report must be true in spiking_attention for a report, not false")
        scales = self.scales if isinstance(self.scales, str) else "given"
        return report_of(self.layers.values(), self.code, self.window, scales, core)

    def attend(self, call: Call) -> Tensor:
        """Attention of a call in spikes, in the shape and type of its query."""
        samples, heads, queries, features = call.q.shape
        keys, values = call.v.shape[-2:]
        name = self._layer_name()
        scales, exact = self._scales_of(name, call)
        layer = None
        if self.counting:
            exact = survey(call, self.code.steps)[1] if exact is None else exact
            layer = self.layers.setdefault(name, Layer(name, self.code.steps))
            layer.begin(Shape(heads, queries, keys, features, values), samples)
        outputs, maps = [], []
        for block in blocks(call, self.code.steps):
            own = of_block(scales, block)
            job = prepare(heads_of(call, block), own, self.code, self.window)
            spikes = compute(job)
            out = decode(spikes.out, on_heads(own.o, call.q.device), self.code)
            outputs.append(out.to(call.q.dtype))
            if layer is not None and exact is not None:
                layer.add(job, spikes, out, exact[block])
            if self._kept:
                maps.append(weights(spikes, self.code).to(call.q.dtype))
        if self._kept:
            self._kept[-1].append(torch.cat(maps).view(samples, heads, queries, keys))
        return torch.cat(outputs).view(call.shape)

    @contextmanager
    def keeping_weights(self) -> Iterator[list[Tensor]]:
        """A block whose calls leave what stands in the place of softmax, [samples, heads, queries, keys]."""
        kept: list[Tensor] = []
        self._kept.append(kept)
        try:
            yield kept
        finally:
            self._kept.pop()

    def enter(self, module: torch.nn.Module) -> None:
        """The forward of a module begins."""
        self._frames.append(_Frame(module))

    def leave(self, module: torch.nn.Module) -> None:
        """It ends; of one that began before the block, nothing is known."""
        if self._frames and self._frames[-1].module is module:
            self._frames.pop()

    def _scales_of(self, name: str, call: Call) -> tuple[HeadScales, Tensor | None]:
        """Scales of all heads of a call or of one sample; exact attention where it was needed for them."""
        heads = call.q.shape[1]
        if self.scales == "dynamic":
            largest, exact = survey(call, self.code.steps)
            return scales_of(largest), exact
        if not self._frames:
            raise InputError(
                "scales must be dynamic where attention is called outside of the modules "
                "that the block runs: there is no layer to remember them for"
            )
        if isinstance(self.scales, Mapping):
            if name not in self.scales:
                known = ", ".join(self.scales)
                raise InputError(f"scales must hold the layer {name}, they hold {quoted(known)}")
            check_given(name, self.scales[name], heads)
            return self.scales[name], None
        seen = self.ranges.get(name)
        exact = None
        if seen is None or seen.batches < self.batches:
            largest, exact = survey(call, self.code.steps)
            largest = largest.reshape(4, -1, heads).max(axis=1)
            seen = self.ranges.setdefault(name, Ranges(0 * largest))
            check_heads(name, seen.largest.shape[1], heads)
            seen.widen(largest)
        check_heads(name, seen.largest.shape[1], heads)
        return scales_of(seen.largest), exact

    def _layer_name(self) -> str:
        """Path of the innermost running module in the outermost, and which attention of it this is."""
        if not self._frames:
            return "outside of modules"
        root, frame = self._frames[0].module, self._frames[-1]
        if root not in self._names:
            self._names[root] = {module: path for path, module in root.named_modules()}
            self._roots.append(root)
        names = self._names[root]
        kind = type(frame.module).__name__
        # The outermost module has no path, nor have modules that it hides in lists of its own
        path = names.setdefault(frame.module, f"{kind}@{len(names)}") or kind
        number = self._roots.index(root)
        frame.attended += 1
        again = f"#{frame.attended}" if frame.attended > 1 else ""
        return f"{f'model {number + 1}: ' if number else ''}{path}{again}"


def check_heads(layer: str, calibrated: int, heads: int) -> None:
    """Raise InputError unless a layer still has the heads that it was calibrated with."""
    if heads != calibrated:
        raise InputError(f"heads of {layer} must be the {calibrated} that were calibrated, not {heads}")
