"""The authors' logs, reproduced, and how their counts differ from one operation per synapse.

Source: the files Swin-SpikedAttention.log and MABERT-SpikedAttention.log published with
SpikedAttention (NeurIPS 2024), and the counting functions of that code (flops, flops_ANN,
flops_snn). A quantity that follows from the network's shape is computed. The spike densities behind
the spiking totals were not published: one number is solved for from each total and named as such.
"""

from dataclasses import dataclass, replace

from energy.layers import BERT_BASE, SWIN_T, Layer, layer_list
from energy.ledger import PICOJOULES_PER_MILLIJOULE
from energy.paper import (
    NEURON_STEP,
    SPIKE_EVENT,
    Charge,
    charges,
    float_arithmetic,
    float_network,
    spike_arithmetic,
    spiking_ledger,
    total_operations,
    total_outputs,
)


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A place where the published code counts something else than the network does.

    Attributes:
        where: the layers.
        why: what the code does.
        operations: counted minus true.
        outputs: counted minus true.
    """

    where: str
    why: str
    operations: int
    outputs: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a reproduction.

    Attributes:
        quantity: what.
        unit: mJ, G or 1.
        published: the number in the log.
        reproduced: ours by the same counting.
        corrected: ours with every deviation removed; None where nothing was published to correct.
        note: how it comes about.
    """

    quantity: str
    unit: str
    published: float
    reproduced: float
    corrected: float | None
    note: str


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """A published log beside the same numbers computed here.

    Attributes:
        model: key of `energy.layers.SHAPES`.
        source: the log.
        entries: one per published number.
        deviations: what separates the published float energy from the corrected one.
        solved: numbers solved for, by name.
    """

    model: str
    source: str
    entries: list[Entry]
    deviations: list[Deviation]
    solved: dict[str, float]


# Swin-SpikedAttention.log, base 1.15, 40 steps
SWIN_OPERATION_ENERGY = 20.098
SWIN_FLOAT_ENERGY = 45.339
SWIN_SPIKE_OPERATION_ENERGY = 2.980
SWIN_SPIKING_ENERGY = 26.383
# MABERT-SpikedAttention.log, base 1.4, 16 steps, 128 tokens
BERT_OPERATIONS = 12.989
BERT_FLOAT_ENERGY = 189.723
BERT_SPIKING_ENERGY = 79.857

GIGA = 1e9


def swin_rule(layer: Layer, charge: Charge) -> tuple[Charge, str] | None:
    """How the published Swin code charges the energy of one layer, where it deviates."""
    part = layer.name.rsplit(".", 1)[-1]
    if part == "mlp2":
        return replace(charge, operations=0, outputs=0), "second MLP layer not charged"
    if part == "projection":
        per_window = SWIN_T.window**2
        return (
            replace(charge, outputs=charge.outputs // per_window),
            "outputs divided by the tokens of a window",
        )
    if layer.name == "embedding":
        return replace(charge, outputs=layer.fan_in), "outputs and fan-in exchanged"
    if layer.name == "pool":
        patches = (SWIN_T.image // SWIN_T.patch) ** 2
        wrong = charge.outputs * (patches // 2 ** len(SWIN_T.depths))
        return replace(charge, operations=wrong), "pools patches/2^4 tokens; the last stage has patches/4^3"
    if layer.name in ("embedding.norm", "norm") or part == "norm":
        return replace(charge, operations=0, outputs=0), "norms outside the blocks not charged"
    return None


def bert_rule(layer: Layer, charge: Charge) -> tuple[Charge, str] | None:
    """How the published BERT code counts one layer, where it deviates."""
    part = layer.name.rsplit(".", 1)[-1]
    heads, tokens = BERT_BASE.heads, BERT_BASE.tokens
    head_dim = BERT_BASE.dim // heads
    if part == "score":
        return (
            replace(charge, operations=charge.operations * heads),
            "every score charged with the width of all heads instead of its own",
        )
    if part == "context":
        return (
            replace(
                charge,
                operations=charge.operations * tokens // head_dim,
                outputs=charge.outputs * tokens // head_dim,
            ),
            "width of a head taken as the number of tokens",
        )
    if layer.name == "head":
        return replace(charge, operations=0, outputs=0), "classifier not counted"
    return None


def as_published(model: str) -> tuple[list[Charge], list[Charge], list[Deviation]]:
    """True charges, the charges of the published energy code, and their differences in groups."""
    layers = layer_list(model)
    rule = {"swin-t": swin_rule, "bert-base": bert_rule}[model]
    true, counted = charges(layers), []
    groups: dict[str, Deviation] = {}
    for layer, charge in zip(layers, true, strict=True):
        changed = rule(layer, charge)
        counted.append(changed[0] if changed else charge)
        if changed:
            other, why = changed
            where = layer.name.rsplit(".", 1)[-1]
            before = groups.get(why, Deviation(where=where, why=why, operations=0, outputs=0))
            groups[why] = replace(
                before,
                operations=before.operations + other.operations - charge.operations,
                outputs=before.outputs + other.outputs - charge.outputs,
            )
    return true, counted, list(groups.values())


def counted_operations_swin(true: list[Charge]) -> int:
    """Operations by the function `flops` of the published Swin code, before its density factor.

    Unlike their energy it holds the second MLP layer and the norms of embedding and merging; like it,
    it pools 196 tokens and skips the last norm.
    """
    patches = (SWIN_T.image // SWIN_T.patch) ** 2
    by_name = {charge.name: charge for charge in true}
    pool, last_norm = by_name["pool"], by_name["norm"]
    wrong_pool = pool.outputs * (patches // 2 ** len(SWIN_T.depths))
    return total_operations(true) - pool.operations + wrong_pool - last_norm.operations


def swin() -> Reproduction:
    """Swin-T at 224 x 224."""
    true, counted, deviations = as_published("swin-t")
    dense_operations = counted_operations_swin(true)
    density = SWIN_OPERATION_ENERGY / float_arithmetic(dense_operations).millijoule
    events = SWIN_SPIKE_OPERATION_ENERGY / spike_arithmetic(1).millijoule
    steps = (SWIN_SPIKING_ENERGY * PICOJOULES_PER_MILLIJOULE - SPIKE_EVENT * events) / NEURON_STEP
    mlp2 = sum(charge.operations for charge in true if charge.name.endswith("mlp2"))
    mlp2_neurons = sum(charge.outputs for charge in true if charge.name.endswith("mlp2"))
    steps_per_neuron = steps / total_outputs(counted)
    # The energy function leaves the second MLP layer out, the count of events does not. Were all
    # other layers dense, this many of the events would be the second MLP layer's: a lower bound.
    mlp2_events = max(0.0, events - (dense_operations - mlp2))
    return Reproduction(
        model="swin-t",
        source="Swin-SpikedAttention.log (base 1.15, 40 steps)",
        entries=[
            Entry(
                quantity="float energy",
                unit="mJ",
                published=SWIN_FLOAT_ENERGY,
                reproduced=float_network(counted).millijoule,
                corrected=float_network(true).millijoule,
                note="all activations dense; the log also saves the zeros of ReLU outputs and masked keys",
            ),
            Entry(
                quantity="float operation energy",
                unit="mJ",
                published=SWIN_OPERATION_ENERGY,
                reproduced=float_arithmetic(dense_operations * density).millijoule,
                corrected=float_arithmetic(total_operations(true)).millijoule,
                note=f"their count times one density, {density:.4f} (solved for): the share of the last "
                "stage's outputs that round to something at 8 bits",
            ),
            Entry(
                quantity="spiking operation energy",
                unit="mJ",
                published=SWIN_SPIKE_OPERATION_ENERGY,
                reproduced=spike_arithmetic(events).millijoule,
                corrected=None,
                note=f"{events / GIGA:.3f} G events (solved for), second MLP layer included",
            ),
            Entry(
                quantity="spiking energy",
                unit="mJ",
                published=SWIN_SPIKING_ENERGY,
                reproduced=spiking_ledger(events, steps).millijoule,
                corrected=SWIN_SPIKING_ENERGY
                + spiking_ledger(mlp2_events, mlp2_neurons * steps_per_neuron).millijoule,
                note=f"{events / GIGA:.3f} G events and {steps / GIGA:.4f} G neuron steps (solved for: "
                f"{steps_per_neuron:.1f} per neuron); corrected, at least: adds the second MLP layer, "
                f"{mlp2_events / GIGA:.3f} G events if every other layer were dense",
            ),
        ],
        deviations=deviations,
        solved={
            "float density": density,
            "synaptic events": events,
            "neuron steps": steps,
            "steps per neuron": steps_per_neuron,
            "second MLP layer, fewest events": mlp2_events,
        },
    )


def bert() -> Reproduction:
    """BERT-base with 128 tokens (MA-BERT on SST-2)."""
    true, counted, deviations = as_published("bert-base")
    operations = total_operations(counted)
    steps = (BERT_SPIKING_ENERGY * PICOJOULES_PER_MILLIJOULE - SPIKE_EVENT * operations) / NEURON_STEP
    steps_per_neuron = steps / total_outputs(counted)
    return Reproduction(
        model="bert-base",
        source="MABERT-SpikedAttention.log (base 1.4, 16 steps)",
        entries=[
            Entry(
                quantity="operations",
                unit="G",
                published=BERT_OPERATIONS,
                reproduced=operations / GIGA,
                corrected=total_operations(true) / GIGA,
                note="attention products counted 12 times (scores) and twice (context)",
            ),
            Entry(
                quantity="float energy",
                unit="mJ",
                published=BERT_FLOAT_ENERGY,
                reproduced=float_network(counted).millijoule,
                corrected=float_network(true).millijoule,
                note="all activations dense",
            ),
            Entry(
                quantity="spiking energy",
                unit="mJ",
                published=BERT_SPIKING_ENERGY,
                reproduced=spiking_ledger(operations, steps).millijoule,
                corrected=spiking_ledger(
                    total_operations(true), steps_per_neuron * total_outputs(true)
                ).millijoule,
                note=f"an event per counted operation, {steps_per_neuron:.2f} steps per neuron (solved for)",
            ),
        ],
        deviations=deviations,
        solved={"neuron steps": steps, "steps per neuron": steps_per_neuron},
    )


REPRODUCTIONS = {"swin-t": swin, "bert-base": bert}
