"""`onespike rtl`: Verilog of a configuration."""

import json
from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.cores import head_core, network_module
from onespike.files import filled_folder, whole_or_nothing
from onespike.network_options import LanesOption
from onespike.options import ConfigOption, FolderOption, HtmlOption, PresetOption, SchemeOption
from onespike.schemes import SCHEMES
from onespike.tables import working
from studies.page.page import check_packages, write_page


def rtl(
    directory: FolderOption,
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    network: Annotated[
        Path | None,
        typer.Option(
            "--network",
            metavar="FILE.npz",
            help="Network file: write the core that runs the whole network, sized to it; "
            "--config may give sizes.",
            show_default=False,
        ),
    ] = None,
    lanes: LanesOption = None,
    html_file: HtmlOption = None,
    scheme: SchemeOption = "spiked",
    axi: Annotated[
        bool,
        typer.Option(
            "--axi",
            help="AXI4-Stream ports; beside the Verilog core files of FuseSoC and a test bench in Verilog "
            "with the beats of two heads. See docs/ip.md.",
        ),
    ] = False,
) -> None:
    """Write the attention core of a configuration, or the core of a whole network, as plain Verilog.

    A manifest beside it lists ports, payload layouts, parameters and latency; a folder, .views, holds what
    GTKWave and Surfer show its waveforms with; PAGE.html is a datasheet of the manifest, with area and
    clock where a build of the configuration comes with the project.

    Examples:

        onespike rtl -o build/rtl
        onespike rtl -o build/rtl --preset tiny
        onespike rtl -o build/rtl --config mine.toml
        onespike rtl -o build/ip --preset tiny --axi --html build/ip/datasheet.html
        onespike rtl -o build/rtl --scheme stochastic --config engine.toml
        onespike rtl -o build/rtl --network build/infer/network.npz
        onespike rtl -o build/rtl --network build/infer/network.npz --lanes 64
        onespike rtl -o build/rtl --scheme stochastic --network ssa.npz
    """
    SCHEMES[scheme].check_options({"--axi": axi})
    if axi and network is not None:
        raise InputError("--axi is for the attention core, it excludes --network")
    if network is not None:
        networks = network_module(scheme, preset_name)
    elif lanes is not None:
        raise InputError("--lanes is for --network, a configuration has its own")
    if html_file is not None:
        check_packages("wavedrom")
    pages = {} if html_file is None else {"--html": html_file}
    with (
        filled_folder("-o", directory) as folder,
        whole_or_nothing(pages) as places,
        working("write Verilog"),
    ):
        if network is None:
            core = head_core(scheme, preset_name, config_file)
            written = core.write(folder, axi=axi)
            if axi:
                from hw.export.axi import AxiManifest
                from sim.cores.attention.axi_bench import write_bench

                manifest = AxiManifest.from_json(written[1].read_text())
                written += write_bench(manifest, folder)
        elif network.exists():
            written = networks.core_of_file(network, config_file, lanes).write(folder)
        else:
            raise InputError(f"--network must be a file that onespike infer wrote, not {str(network)!r}")
        if html_file is not None:
            from studies.rtl.page import datasheet, page

            write_page(page(datasheet(json.loads(written[1].read_text()))), places["--html"])
    for path in written:
        typer.echo(directory / path.name)
