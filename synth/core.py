"""The attention core as a design for a board."""

from golden.attention.config import CoreConfig, to_table
from hw.attention.core import AttentionCore
from synth.design import Design
from synth.estimate import estimate


def core_design(config: CoreConfig, name: str) -> Design:
    """An attention core; `name` is that of its preset or of its configuration file."""
    return Design(
        name=name,
        make=lambda: AttentionCore(config),
        parameters=to_table(config),
        lanes=config.lanes,
        estimate=lambda family: estimate(config, family),
    )
