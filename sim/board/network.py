"""Whole inferences through a network core on a board, over its serial port."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.errors import InputError
from golden.network.network import Network
from golden.network.program import check_fit
from golden.network.sizes import from_table
from hw.network.linked_network import LinkedNetwork
from sim.board.session import Progress, Session
from sim.board.streams import DEFAULT_BAUD, PATIENCE, LinkedStreams, open_session
from sim.cores.network.engine import image_beats
from sim.cores.network.loading import load_pieces


class NetworkBoard:
    """A board with a network core, opened by `connect`.

    Attributes:
        config: of the core, as the board states it.
        identification: everything the board says of itself.
    """

    def __init__(self, session: Session, name: str) -> None:
        self.identification = session.identification
        try:
            self.config = from_table(dict(self.identification["parameters"]), name)
        except (InputError, KeyError, TypeError, ValueError):
            raise InputError(f"{name}: the board must hold a network core, it does not") from None
        self._streams = LinkedStreams(session, name, LinkedNetwork(self.config))
        self._classes = 0

    def load(self, network: Network, progress: Progress | None = None) -> None:
        """Load the weights and descriptors of a network.

        Args:
            progress: called with bytes sent and received.

        Raises:
            InputError: the network does not fit the board's core.
            LinkError: the board stopped answering.
        """
        pieces = load_pieces(check_fit(network, self.config), self.config)
        records = self._streams.records("i_load", self._streams.beats("i_load", pieces))
        self._streams.exchange(b"".join(records), {"o_score": 0}, progress)
        self._classes = network.classes

    def run(self, image: Spikes, progress: Progress | None = None) -> NDArray[np.int64]:
        """Class scores [images, classes] of images [images, tokens, pixels] of the network loaded.

        Raises:
            LinkError: the board stopped answering.
        """
        images = image.shape[0]
        records = (
            self._streams.records("i_image", self._streams.beats("i_image", image_beats(image[n : n + 1])))
            for n in range(images)
        )
        data = b"".join(chain.from_iterable(records))
        outputs = self._streams.exchange(data, {"o_score": images * self._classes}, progress)
        return np.asarray(outputs["o_score"]["value"], np.int64).reshape(images, -1)


@contextmanager
def connect(port: str, *, baud: int = DEFAULT_BAUD, patience: float = PATIENCE) -> Iterator[NetworkBoard]:
    """Open a board with a network core; see `sim.board.streams.open_session`.

    Raises:
        InputError: the port cannot be opened, or what answers is no network core of this version.
        LinkError: nothing answers.
    """
    with open_session(port, baud=baud, patience=patience) as session:
        yield NetworkBoard(session, port)
