# %% [markdown]
# # Both schemes
#
# SpikedAttention fires once per neuron and says a value by when; stochastic spiking attention fires
# at random in every time step and says it by how often. The same rates through both.

# %%
import matplotlib.pyplot as plt
import numpy as np

import onespike

rng = np.random.default_rng(5)
rates = rng.random((3, 1, 12, 8))
spiked = onespike.attention(*rates)
print("spiked against softmax:", round(spiked.report()["error"]["out"]["cosine"], 4))
stochastic = onespike.stochastic_attention(*rates, steps=16)
print("stochastic against its expectation:", round(stochastic.report()["error"]["out"]["cosine"], 4))

# %% [markdown]
# ## What is approximated
#
# SpikedAttention approximates softmax; the error is that of its codes and does not change from run to
# run. Stochastic attention approximates q k^T v without softmax, divided by its size; the error is
# noise, and falls with the square root of the number of time steps.

# %%
lengths = [4, 16, 64]
errors = []
for steps in lengths:
    found = onespike.stochastic_attention(*rates, steps=steps)
    errors.append(float(np.sqrt(np.mean((found.spikes.rate - found.expected) ** 2))))
figure, axes = plt.subplots(figsize=(4, 3), layout="constrained")
axes.loglog(lengths, errors, "o-")
axes.set(xlabel="time steps", ylabel="RMS error of a rate")
print(dict(zip(lengths, np.round(errors, 4).tolist(), strict=True)))
assert errors[0] > errors[1] > errors[2]

# %% [markdown]
# ## What fires, and when it is done
#
# On cores of their usual size, by the cycle models.

# %%
for name, result in (
    ("spiked", onespike.attention(*rates, engine="model")),
    ("stochastic", onespike.stochastic_attention(*rates, steps=16, engine="model")),
):
    report = result.report()
    fires = {which: round(share, 2) for which, share in report["firing"].items()}
    print(f"{name}: {report['cycles']['total']} cycles; shares that fire {fires}")
