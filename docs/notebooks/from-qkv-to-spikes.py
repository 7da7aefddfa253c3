# %% [markdown]
# # From q, k, v to spikes
#
# What one head of SpikedAttention does with its inputs, in integers: codes, trace products, the ramp
# in place of softmax, output codes. [Numerics](../numerics.md) has the definitions, this page the
# numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

import onespike

rng = np.random.default_rng(3)
tokens, head_dim = 10, 8
q, k, v = rng.normal(size=(3, 1, tokens, head_dim))
k[0, 4:] += q[0, :6]  # some rows attend to few keys
result = onespike.attention(q, k, v, config=onespike.PRESETS["digits"])
code = result.job.code
print(f"T = {code.steps} phases, B = {code.base:.3f}")

# %% [markdown]
# ## One spike per value
#
# A value becomes the sign of its neuron's only spike, and its phase: phase p stands for B^-p of the
# largest value of the head. What is smaller than the last phase stays silent.

# %%
decoded = result.job.q.sign * code.base ** -result.job.q.phase.astype(float) * result.scales.q[:, None, None]
print("value  ", np.round(q[0, 0], 2))
print("sign   ", result.job.q.sign[0, 0])
print("phase  ", result.job.q.phase[0, 0])
print("decoded", np.round(decoded[0, 0], 2))
rounding = np.linalg.norm(decoded - q) / np.linalg.norm(q)
print(f"relative RMSE of the codes: {rounding:.3f}")
assert rounding < 0.15

# %% [markdown]
# ## Scores without multiplications
#
# The product of two codes is the trace B^-(p+r) of their phases, with the product of their signs:
# each pair of spikes is one addition of a point of the trace.

# %%
trace = code.trace
sign = result.job.q.sign[0, 0].astype(int) * result.job.k.sign[0, 1]
phase = np.minimum(result.job.q.phase[0, 0].astype(int) + result.job.k.phase[0, 1], len(trace) - 1)
by_hand = int((sign * trace[phase]).sum())
print("score of key 1 in row 0:", by_hand)
assert by_hand == result.spikes.score[0, 0, 1]

# %% [markdown]
# ## The winner, and a threshold that falls
#
# The key with the largest score fires first. A threshold then falls linearly; the later it reaches a
# key, the later that key fires, and a step later is a factor B less: a softmax to the base of the
# code.

# %%
row = 2
score, fires = result.spikes.score[0, row], result.spikes.attn_phase[0, row]
order = np.argsort(-score)
for key in order[:6]:
    when = "stays silent" if fires[key] < 0 else f"fires at step {fires[key]}"
    print(f"key {key}: score {score[key]:7,}, {when}")
assert fires[order[0]] == 0

# %% [markdown]
# ## Beside exact softmax

# %%
weight = np.where(
    result.spikes.attn_phase < 0, 0, code.base ** -np.maximum(result.spikes.attn_phase, 0).astype(float)
)
weight /= weight.sum(-1, keepdims=True)
figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
for panel, (title, image) in zip(
    axes, (("in spikes", weight[0]), ("exact softmax", result.exact_map[0])), strict=True
):
    panel.imshow(image, vmin=0, vmax=1)
    panel.set(title=title, xlabel="key", ylabel="row")
print({name: round(error["cosine"], 4) for name, error in result.report()["error"].items()})

# %% [markdown]
# ## The same on the hardware
#
# The cycle model says when each row is complete; with `engine="rtl"` the generated Verilog is
# compiled and says so itself, with the same integers.

# %%
model = onespike.attention(q, k, v, config=onespike.PRESETS["digits"], engine="model")
print(f"rows complete in cycles {model.cycles.rows[0].tolist()}")
assert (model.spikes.context == result.spikes.context).all()
