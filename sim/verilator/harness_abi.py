"""The structures of harness.cpp, field by field, and its status codes."""

import ctypes
from pathlib import Path
from typing import Any

U32 = ctypes.POINTER(ctypes.c_uint32)
I64 = ctypes.POINTER(ctypes.c_int64)
PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64)
DONE, LIMIT, STALL, EXTRA, UNSTABLE, CANCELLED, ASSERTION, EARLY = range(8)


class Stream(ctypes.Structure):
    """Feed and Sink of harness.cpp, which have the same fields."""

    _fields_ = (
        ("words", U32),
        ("beats", ctypes.c_uint64),
        ("stride", ctypes.c_uint64),
        ("pause", ctypes.c_uint64),
        ("seed", ctypes.c_uint64),
        ("cycles", I64),
        ("moved", ctypes.c_uint64),
    )


class Job(ctypes.Structure):
    """Job of harness.cpp."""

    _fields_ = (
        ("feeds", ctypes.POINTER(Stream)),
        ("sinks", ctypes.POINTER(Stream)),
        ("plain_in", ctypes.POINTER(U32)),
        ("plain_out", ctypes.POINTER(U32)),
        ("reset_at", ctypes.c_int64),
        ("drain", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("stall", ctypes.c_uint64),
        ("progress", PROGRESS),
        ("waves", ctypes.c_char_p),
        ("cancel", ctypes.c_int32),
        ("status", ctypes.c_int32),
        ("cycles", ctypes.c_uint64),
        ("stream", ctypes.c_int32),
    )


def load(path: Path) -> Any:
    """The harness in a shared library."""
    library = ctypes.CDLL(str(path))
    library.harness_run.argtypes = [ctypes.POINTER(Job)]
    library.harness_run.restype = ctypes.c_int32
    return library
