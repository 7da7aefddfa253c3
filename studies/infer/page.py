"""The page of a run of `infer`: agreement, energy and firing by layer, and what each unit does when."""

from typing import Any

from studies.infer.report import Found, captions
from studies.infer.timeline import UNITS
from studies.page.page import Figure, Number, Page, Section, Table, key, number
from studies.page.plots import bars, timeline

COLOURS = dict(zip(UNITS, ("--faint", "--orange", "--blue", "--vermilion", "--green"), strict=True))
# The places of a report that the overview shows, by what they are; those that are not there stay out
OVERVIEW = {
    "accuracy of the float network, %": ("/accuracy/float_network", "{:.2f}"),
    "accuracy of the spiking network, %": ("/accuracy/spiking", "{:.2f}"),
    "images or sentences through the RTL": ("/rtl/images", "{:,}"),
    "integers compared with golden in the RTL": ("/rtl/compared", "{:,}"),
    "of them different": ("/rtl/different", "{:,}"),
    "cycles per inference, predicted": ("/rtl/predicted", "{:,.1f}"),
    "cycles per inference, measured": ("/rtl/measured", "{:,.1f}"),
    "images through the board": ("/board/images", "{:,}"),
    "class scores of the board compared with golden": ("/board/compared", "{:,}"),
    "different on the board": ("/board/different", "{:,}"),
    "inferences per second by the cycle model": ("/throughput/inferences_per_second", "{:,.1f}"),
    "energy per inference, spiking, µJ": ("/energy/spiking/microjoule", "{:.4f}"),
    "the same in 8-bit multiply-accumulates, µJ": ("/energy/multiply_accumulate/microjoule", "{:.4f}"),
}
WORDS = {"spiking": "spiking", "multiply_accumulate": "8-bit multiply-accumulate"}


def page(result: Found, report: dict[str, Any]) -> Page:
    """The page of a result and of its report."""
    title, remark = captions(result)
    layers, lines = report["energy"]["layers"], report["energy"]["spiking"]["lines"]
    names = [layer["name"] for layer in layers]
    parts: list[Table | Figure] = [
        bars(
            "layers",
            "Energy by layer",
            {
                WORDS[which]: (names, [layer[which] for layer in layers], colour)
                for which, colour in (("spiking", "--blue"), ("multiply_accumulate", "--silent"))
            },
            "µJ",
            f"Per inference, mean of {result.counted}; prices and their sources are in the table below.",
        ),
        Table(
            columns=("layer", "spiking, µJ", "multiply-accumulate, µJ"),
            rows=[
                [name, *(number(report, f"/energy/layers/{n}/{which}", "{:.4f}") for which in WORDS)]
                for n, name in enumerate(names)
            ],
            caption="Energy by layer",
        ),
        Table(
            columns=("event of the spiking network", "count", "µJ", "price of", "source"),
            rows=[
                [
                    f"{line['name']}" + (f" ({line['per']})" if line["per"] else ""),
                    number(report, f"/energy/spiking/lines/{n}/count", "{:,.1f}"),
                    number(report, f"/energy/spiking/lines/{n}/microjoule", "{:.4f}"),
                    line["operation"],
                    line["source"],
                ]
                for n, line in enumerate(lines)
            ],
            caption="Events and their energy",
        ),
    ]
    segments = [(s["unit"], s["what"], s["first"], s["last"]) for s in report["timeline"]]
    sections = [
        Section(name="overview", title="Overview", parts=[Table(columns=(), rows=_overview(report))]),
        Section(
            name="time",
            title="Time",
            parts=[
                timeline("timeline", "What each unit does when", segments, COLOURS, f"{title}; {remark}.")
            ],
        ),
        Section(name="energy", title="Energy", parts=parts),
    ]
    if "accuracy" in report:
        firing = report["accuracy"]["firing"]
        series = {"share": (list(firing), list(firing.values()), "--green")}
        sections.append(
            Section(
                name="firing",
                title="Firing",
                parts=[
                    bars("shares", "Share of the neurons that fire, by layer", series, "share"),
                    Table(
                        columns=("layer", "share"),
                        rows=[
                            [name, number(report, f"/accuracy/firing/{key(name)}", "{:.4f}")]
                            for name in firing
                        ],
                    ),
                ],
            )
        )
    if "sentences" in report:
        sections.append(
            Section(name="sentences", title="Sentences", parts=[_sentences(report)]),
        )
    return Page(
        title=f"Inference of the network {result.name}",
        remark=f"seed {result.seed}; {'passed' if report['passed'] else 'FAILED: ' + result.failures[0]}",
        report=report,
        sections=sections,
    )


def _overview(report: dict[str, Any]) -> list[list[str | Number]]:
    rows: list[list[str | Number]] = []
    for what, (pointer, form) in OVERVIEW.items():
        part, _, rest = pointer[1:].partition("/")
        if report.get(part) is not None:
            rows.append([what, number(report, f"/{part}/{rest}", form)])
    return rows


def _sentences(report: dict[str, Any]) -> Table:
    return Table(
        columns=("sentence", "tokens", "cosine of golden with floats", "of the RTL"),
        rows=[
            [
                one["text"],
                number(report, f"/sentences/{n}/tokens"),
                number(report, f"/sentences/{n}/cosine", "{:.4f}"),
                number(report, f"/sentences/{n}/rtl_cosine", "{:.4f}"),
            ]
            for n, one in enumerate(report["sentences"])
        ],
    )
