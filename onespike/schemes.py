"""The schemes of attention: everything by which commands tell one from the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from golden.attention.config import CoreConfig, load_config, preset
from golden.attention.key_serial import load_config as load_key_serial
from golden.attention.key_serial import preset as key_serial_preset
from golden.errors import InputError, quoted
from golden.inputs import INPUTS
from golden.integer.config import load_config as load_integer
from golden.integer.config import preset as integer_preset
from golden.stochastic.table import load_config as load_engine
from onespike.files import read_arrays, read_inputs

if TYPE_CHECKING:
    from sim.cores.heads import HeadCore


@dataclass(frozen=True, kw_only=True)
class AttentionScheme:
    """A scheme of attention on the command line.

    Attributes:
        name: of --scheme.
        core_class: module and name of its `sim.cores.heads.HeadCore`, loaded when it is asked for.
        study: module whose `attend` runs it on the arrays of a file.
        load: configuration of a file.
        preset: the named configuration; None where there are none.
        networks: module that makes the cores of its whole networks; none where there are none.
        read: arrays of a file.
        options: those of commands that it alone knows.
    """

    name: str
    core_class: str
    study: str
    load: Callable[[Path], Any]
    preset: Callable[[str], Any] | None = None
    networks: str = ""
    read: Callable[[Path], dict[str, NDArray[Any]]]
    options: tuple[str, ...]

    def core(self) -> "type[HeadCore[Any, Any, Any]]":
        """Its core; takes a while to load, as the hardware comes with it."""
        kind: type[HeadCore[Any, Any, Any]] = resolve_name(self.core_class)
        return kind

    def attend(self, *of: Any, **how: Any) -> Any:
        """See `studies.attention.spiked.attend` and its siblings."""
        return resolve_name(self.study).attend(*of, **how)

    def check_options(self, given: Mapping[str, object]) -> None:
        """Raise InputError if an option is given (not None, not False) that another scheme alone knows."""
        for option, value in given.items():
            owners = [scheme.name for scheme in SCHEMES.values() if option in scheme.options]
            if value is not None and value is not False and owners and self.name not in owners:
                raise InputError(f"{option} needs --scheme {' or '.join(owners)}, not {self.name}")

    def config(self, preset_name: str | None, config_file: Path | None) -> Any:
        """The configuration that --preset or --config names.

        Raises:
            InputError: both are given, neither where there are no presets, or one that is not usable.
        """
        self.check_options({"--preset": preset_name})
        if preset_name is not None and config_file is not None:
            raise InputError(
                f"--preset and --config exclude each other, not {quoted(preset_name)} with {config_file} "
                "(a configuration file names its preset with base)"
            )
        if config_file is not None:
            return self.load(config_file)
        if self.preset is None:
            raise InputError(
                f"--scheme {self.name} needs --config, a file with tokens and head_dim of the engine"
            )
        return self.preset("default" if preset_name is None else preset_name)


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        AttentionScheme(
            name="spiked",
            core_class="sim.cores.attention.core:SpikedAttentionCore",
            study="studies.attention.spiked",
            load=load_config,
            preset=preset,
            networks="onespike.networks.spiked",
            read=read_inputs,
            options=("--preset", "--window", "--network", "--axi"),
        ),
        AttentionScheme(
            name="key-serial",
            core_class="sim.cores.keyserial.core:KeySerialAttentionCore",
            study="studies.attention.key_serial",
            load=load_key_serial,
            preset=key_serial_preset,
            read=read_inputs,
            options=("--preset", "--window"),
        ),
        AttentionScheme(
            name="stochastic",
            core_class="sim.cores.stochastic.core:StochasticCore",
            study="studies.attention.stochastic",
            load=load_engine,
            networks="onespike.networks.stochastic",
            read=partial(read_arrays, allowed=INPUTS),
            options=("--steps", "--rows", "--encoders", "--plans", "--network"),
        ),
        AttentionScheme(
            name="integer",
            core_class="sim.cores.integer.core:IntegerAttentionCore",
            study="studies.attention.integer",
            load=load_integer,
            preset=integer_preset,
            read=read_inputs,
            options=("--preset",),
        ),
    )
}
DEFAULT = next(iter(SCHEMES))


def chosen_config(preset_name: str | None, config_file: Path | None) -> CoreConfig:
    """The attention core's configuration that --preset or --config names.

    Raises:
        InputError: both are given, or the one given is not usable.
    """
    config: CoreConfig = SCHEMES["spiked"].config(preset_name, config_file)
    return config
