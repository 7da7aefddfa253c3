"""One step of a training; on an accelerator recorded once and replayed.

A step is hundreds of small kernels, and to launch them one by one takes longer than they run.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

# Steps before the recording: what is compiled or chosen at first use must be there by then
BEFORE = 3
# Norm of the gradient from which on it is shortened
CLIP = 1.0


class Step:
    """Loss, gradient and update for the images of a batch.

    On an accelerator all batches have one size, and neither network nor optimiser may be replaced.
    """

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        loss_of: Callable[[Tensor], Tensor],
    ) -> None:
        self.network, self.optimiser, self.loss_of = network, optimiser, loss_of
        self.graph: torch.cuda.CUDAGraph | None = None
        self.index: Tensor
        self.loss: Tensor
        self.done = 0

    def __call__(self, index: Tensor) -> Tensor:
        """The loss before the update, good until the next step; `index` are the batch's images."""
        if not index.is_cuda:
            return self._step(index)
        if self.done < BEFORE:
            self.done += 1
            return self._aside(index)
        if self.graph is None:
            self.index, self.graph = index.clone(), torch.cuda.CUDAGraph()
            # Gradients are made anew in the recording, so that they lie in its memory
            self.optimiser.zero_grad(set_to_none=True)
            with torch.cuda.graph(self.graph):
                self.loss = self._step(self.index)
        self.index.copy_(index)
        self.graph.replay()
        return self.loss

    def _aside(self, index: Tensor) -> Tensor:
        """A step in a stream of its own, as the recording will have one."""
        ours, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(ours)
        with torch.cuda.stream(side):
            loss = self._step(index)
        ours.wait_stream(side)
        return loss

    def _step(self, index: Tensor) -> Tensor:
        loss = self.loss_of(index)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        return loss.detach()
