"""Every measured area and clock, once: what was synthesised, placed and routed, and came out.

Each file is written by the command beside it and read through its name here, wherever the project is
installed. What a build may cost is no measurement: that is `synth/budgets.toml`.
"""

from pathlib import Path

HERE = Path(__file__).parent
# Attention cores on their boards, placed and routed: onespike dev board-table
BUILDS = HERE / "boards.json"
# Attention cores with their link in each family, after synthesis: onespike dev estimate
ESTIMATE = HERE / "estimate.json"
# Engines of both schemes alone: by hand from onespike dev area, as the file says
ENGINES = HERE / "areas.toml"
# The integer core and its rivals alone: onespike dev rival --synthesise --report
RIVALS = HERE / "rivals.json"
# Clusters of dense layers' lanes alone: onespike dev dense --synthesise
DENSE = HERE / "dense.json"
# Full stochastic arrays by random-number plan: onespike dev area --plans --report
PLANS = HERE / "plan_areas.json"
