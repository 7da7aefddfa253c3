"""Attention of PyTorch models in spikes: SpikedAttention (NeurIPS 2024) in place of softmax.

`import onespike.torch` registers an attention implementation with transformers, where that is installed:

    model = AutoModel.from_pretrained(name, attn_implementation="onespike")

and a block turns every attention that goes through torch into spikes, whoever calls it:

    with onespike.torch.spiking_attention(steps=16, log2_base="1/2") as run:
        model(images)
    print(run.report())

The integers are golden's. docs/torch.md says what is approximated.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise ImportError(
        "onespike.torch needs PyTorch, which is not installed (pip install 'onespike[torch]')"
    ) from None

from onespike.torch.interface import scaled_dot_product_attention, spiking_attention
from onespike.torch.registration import register
from onespike.torch.report import Report
from onespike.torch.run import SpikingRun

__all__ = ["Report", "SpikingRun", "scaled_dot_product_attention", "spiking_attention"]

register()
