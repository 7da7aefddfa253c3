"""The public Python names of `onespike`; docs/python.md has an example of each.

`onespike` loads them when the first one is used.
"""

from golden.attention.config import PRESETS, CoreConfig, load_config
from golden.code import PhaseCode
from golden.errors import InputError, OutsideError
from golden.integer.config import IntegerConfig
from golden.network.config import NetworkConfig
from golden.network.file import load_network, save_network
from golden.network.network import Network, run_network
from golden.network.program import config_for
from golden.stochastic.config import StochasticConfig
from models.conversion.scheme import Scheme
from models.layouts import Options
from models.verdict import RefusedModel
from onespike.public.attention import attention, integer_attention, stochastic_attention
from onespike.public.conversion import convert, load_model, run_model
from onespike.public.networks import run_sentences, simulated_board, trained_network
from sim.board.board import connect
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.integer.core import IntegerAttentionCore
from sim.cores.keyserial.core import KeySerialAttentionCore
from sim.cores.network.core import NetworkJob, WholeNetworkCore
from sim.cores.stochastic.core import StochasticCore
from synth.boards import BOARDS

__all__ = [
    "BOARDS",
    "PRESETS",
    "CoreConfig",
    "InputError",
    "IntegerAttentionCore",
    "IntegerConfig",
    "KeySerialAttentionCore",
    "Network",
    "NetworkConfig",
    "NetworkJob",
    "Options",
    "OutsideError",
    "PhaseCode",
    "RefusedModel",
    "Scheme",
    "SpikedAttentionCore",
    "StochasticConfig",
    "StochasticCore",
    "WholeNetworkCore",
    "attention",
    "config_for",
    "connect",
    "convert",
    "integer_attention",
    "load_config",
    "load_model",
    "load_network",
    "run_model",
    "run_network",
    "run_sentences",
    "save_network",
    "simulated_board",
    "stochastic_attention",
    "trained_network",
]
