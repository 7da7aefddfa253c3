"""Host link: a component's streams, carried over a serial port by a framed, checked, replayable protocol."""
