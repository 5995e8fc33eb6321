"""Arrays on disk that crops are added to one by one, and that can be added to again after a stop."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from wirbel.errors import InputRejected

#: Bytes before the values; the format leaves room in its header for the count to grow.
HEADER = 128


class GrowingArrays:
    """`.npy` files in one folder, `have` crops long to begin with; what is beyond that is cut off.

    Used as a context: the headers tell the count when it ends, by an error too.
    """

    def __init__(self, folder: Path, like: Mapping[str, np.ndarray], have: int) -> None:
        self._kinds = {name: (array.dtype, array.shape[1:]) for name, array in like.items()}
        self._folder = folder
        self._count = have
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> "GrowingArrays":
        for name, (dtype, shape) in self._kinds.items():
            path = self._folder / name
            path.touch()
            file = self._files[name] = path.open("r+b")
            self._tell(name)
            file.truncate(HEADER + self._count * int(np.prod(shape)) * dtype.itemsize)
            file.seek(0, 2)
        return self

    def add(self, each: Mapping[str, np.ndarray]) -> None:
        """One crop more in every array."""
        for name, file in self._files.items():
            file.write(np.ascontiguousarray(each[name], dtype=self._kinds[name][0]).tobytes())
            file.flush()
        self._count += 1

    def __exit__(self, *_: object) -> None:
        for name, file in self._files.items():
            self._tell(name)
            file.close()

    def _tell(self, name: str) -> None:
        dtype, shape = self._kinds[name]
        file = self._files[name]
        file.seek(0)
        descr = np.lib.format.dtype_to_descr(dtype)
        about = {"descr": descr, "fortran_order": False, "shape": (self._count, *shape)}
        np.lib.format.write_array_header_1_0(file, about)
        if file.tell() != HEADER:
            raise InputRejected(f"{name}: crops of {shape} voxels cannot be stored")
