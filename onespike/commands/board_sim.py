"""`onespike board-sim`: a simulated board behind a pseudo-terminal."""

from onespike.board_options import (
    BoardOption,
    BoardPresetOption,
    ClockOption,
    CoreNetworkOption,
    board_config,
)
from onespike.network_options import (
    BesideOption,
    DataOption,
    LanesOption,
    PiecesOption,
    RowsOption,
    StreamedOption,
)
from onespike.options import ConfigOption, SchemeOption


def board_sim(
    board_name: BoardOption = "ulx3s-85f",
    preset_name: BoardPresetOption = None,
    config_file: ConfigOption = None,
    network: CoreNetworkOption = None,
    data: DataOption = None,
    lanes: LanesOption = None,
    tokens: RowsOption = None,
    streamed: StreamedOption = False,
    pieces: PiecesOption = None,
    beside: BesideOption = 1,
    clock: ClockOption = None,
    scheme: SchemeOption = "spiked",
) -> None:
    """Simulate a board, pins and all, and print the name of its serial port.

    The top level of the bitstream is compiled by Verilator and put behind a pseudo-terminal that
    the same driver opens. Runs until Ctrl-C; a second call starts at once, as the program is kept.

    Examples:

        onespike board-sim --board icebreaker
        onespike attention in.npz out.npz --engine board --port /dev/pts/3
        onespike board-sim --scheme stochastic --config engine.toml
        onespike board-sim --network digits --clock 10
        onespike infer --engine board --port /dev/pts/3
    """
    wanted = board_config(
        board_name,
        preset_name,
        config_file,
        clock,
        network,
        data=data,
        lanes=lanes,
        scheme=scheme,
        tokens=tokens,
        streamed=streamed,
        pieces=pieces,
        beside=beside,
    )
    from onespike.tables import progress
    from sim.board.simulate import compile_board, started

    with progress() as bar:
        bar.add_task("compile", total=None)
        program = compile_board(wanted.board, wanted.design, wanted.clock)
    try:
        with started(program) as (process, port):
            print(port, flush=True)
            process.wait()
    except KeyboardInterrupt:
        return
