# %% [markdown]
# # Convert your model
#
# A trained transformer becomes a network of integers that the hardware runs, without retraining. The
# model is a `torch.nn.TransformerEncoder` for rows of a handwritten digit, as `torch.save` wrote it;
# torch is not needed to read it. [Your model](../your-model.md) does the same on the command line and
# goes on to a board.

# %%
from importlib.resources import files
from pathlib import Path

import numpy as np

import onespike

folder = Path(str(files("models.shipped"))) / "users" / "digits_encoder"
samples = np.load(folder / "data" / "samples.npz")["inputs"]
test = np.load(folder / "data" / "test.npz")
print("samples that set the scales:", samples.shape)

# %% [markdown]
# ## What the file does not say
#
# Tensors have shapes and names, but not the number of heads, the activation, or what stands around
# the encoder.

# %%
options = onespike.Options(
    heads=4,
    activation="relu",
    norm_first=False,
    epsilon=1e-5,
    mask="none",
    embedding="embedding",
    positions="positions",
    head="head",
    pooling="mean",
)
stored = onespike.convert(folder / "model.pt", samples[:100], "spiking", options=options)
print(stored.layout)

# %% [markdown]
# ## A verdict for every node
#
# The error of what each node makes, its inputs being the integers before it, beside the error of the
# nearest code alone: what is far above its code comes from elsewhere.

# %%
for verdict in stored.conversion.verdicts:
    if verdict.error is not None:
        own = "" if verdict.code is None else f"its code alone {verdict.code:.3f}"
        print(f"{verdict.node:22} {verdict.error:.3f}  {own}")

# %% [markdown]
# ## What it costs in accuracy

# %%
chosen = slice(0, 60)
floats, spikes = (
    onespike.run_model("spiking", test["inputs"][chosen], mode) for mode in ("float", "network")
)
labels = test["labels"][chosen]
for name, scores in (("floats", floats), ("spikes", spikes)):
    print(f"{name}: {100 * (scores.argmax(-1) == labels).mean():.1f} %")
assert (spikes.argmax(-1) == labels).mean() > 0.9

# %% [markdown]
# ## The core for it
#
# The smallest core that holds the network, and how long an inference takes on it.

# %%
network = stored.conversion.network.network
core = onespike.WholeNetworkCore(onespike.config_for(network))
print(f"{core.config.lanes} neuron lanes, {core.config.attention.lanes} attention lanes")
