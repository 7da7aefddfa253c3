# %% [markdown]
# # Read the report
#
# `--report` writes JSON, `--html` the same as a page for the browser ([the report](../report.md)).
# This page reads the JSON of a head on the cycle model.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt

from onespike.cli import main

assert main(["example", "in.npz", "--heads", "2", "--tokens", "32"]) == 0
assert main(["attention", "in.npz", "out.npz", "--engine", "model", "--report", "report.json"]) == 0
report = json.loads(Path("report.json").read_text())
print(list(report))

# %% [markdown]
# ## How far from softmax
#
# `out` are the decoded output codes, `out_raw` the context over the normaliser before it is coded.
# The difference of the two is what the output code costs.

# %%
for name, error in report["error"].items():
    print(f"{name:8} cosine {error['cosine']:.4f}, relative RMSE {error['relative_rmse']:.4f}")
    for head, one in enumerate(error["heads"]):
        print(f"  head {head} cosine {one['cosine']:.4f}")

# %% [markdown]
# ## How sparse
#
# Shares of neurons that fire, and the mean number of keys that fire in a row.

# %%
print(report["firing"])

# %% [markdown]
# ## When, and what the stages do
#
# Rows are complete one after the other; the longest stage sets the pace. `lane_utilisation` is the
# share of what the adders of all lanes could do.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for head, rows in enumerate(report["cycles"]["rows"]):
    left.plot(rows, label=f"head {head}")
left.set(xlabel="row", ylabel="complete in cycle")
left.legend()
right.barh(list(report["busy_cycles"]), list(report["busy_cycles"].values()))
right.set(xlabel="cycles at work")
right.invert_yaxis()
slowest = max(report["busy_cycles"], key=report["busy_cycles"].get)
print(f"{report['cycles']['total']:,} cycles; {slowest} sets the pace")
print(f"lanes at work {report['lane_utilisation']:.1%}")
