"""Arrays of pixels of different sizes, one per image, that may be larger than the memory."""

from __future__ import annotations

import struct
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""uint8 (height, width, …)."""

_LOCAL_HEADER = struct.Struct("<26xHH")
"""Of a file in a zip archive: lengths of its name and of what else stands before its bytes."""


class Planes(Sequence[Pixels]):
    """An array uint8 (height, width, …) per image, all in one block.

    The block may be mapped from a file, so that only what is looked at takes memory.

    Args:
        block: uint8 (total,).
        shapes: int64 (n, d), height, width and whatever else of each image.
        starts: int64 (n,), where each begins in the block; one after another unless given.
    """

    def __init__(
        self,
        block: Pixels,
        shapes: NDArray[np.int64],
        starts: NDArray[np.int64] | None = None,
    ) -> None:
        self.shapes, self._block = shapes, block
        sizes = shapes.prod(axis=1)
        self._starts = np.cumsum(sizes) - sizes if starts is None else starts

    @staticmethod
    def of(arrays: Iterable[Pixels]) -> Planes:
        """Puts arrays together, in a temporary file: there may be more than fits into memory."""
        shapes = []
        with tempfile.TemporaryFile() as file:
            for array in arrays:
                shapes.append(array.shape)
                file.write(np.ascontiguousarray(array, np.uint8).data)
            file.flush()
            size = file.tell()
            block: Any = np.memmap(file, np.uint8, "r", shape=(size,)) if size else _nothing()
        dimensions = len(shapes[0]) if shapes else 2
        return Planes(block, np.array(shapes, np.int64).reshape(len(shapes), dimensions))

    def __len__(self) -> int:
        return len(self.shapes)

    @overload
    def __getitem__(self, row: int) -> Pixels: ...
    @overload
    def __getitem__(self, row: slice | NDArray[Any] | list[int]) -> Planes: ...
    def __getitem__(self, row: int | slice | NDArray[Any] | list[int]) -> Pixels | Planes:
        if isinstance(row, slice | np.ndarray | list):
            return Planes(self._block, self.shapes[row], self._starts[row])
        start, shape = int(self._starts[row]), tuple(self.shapes[row].tolist())
        return self._block[start : start + int(np.prod(shape))].reshape(shape)

    def __iter__(self) -> Iterator[Pixels]:
        return (self[row] for row in range(len(self)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What has to be written, by name; `Planes.mapped` takes it back."""
        gapless = Planes(self._block, self.shapes)
        whole = np.array_equal(gapless._starts, self._starts)
        if whole and len(self._block) == int(self.shapes.prod(axis=1).sum()):
            return {"block": self._block, "shapes": self.shapes}
        return Planes.of(self).arrays()

    @staticmethod
    def mapped(path: Path, prefix: str) -> Planes:
        """Maps planes out of an uncompressed ``.npz`` file.

        Args:
            path: The file.
            prefix: Before ``block`` and ``shapes`` in the names of its arrays.

        Raises:
            OSError, ValueError, KeyError, zipfile.BadZipFile: If it does not hold them.
        """
        with np.load(path, allow_pickle=False) as data:
            shapes = data[f"{prefix}shapes"]
        size = int(shapes.prod(axis=1).sum())
        block = _mapped(path, f"{prefix}block.npy", size) if size else _nothing()
        return Planes(block, shapes)


def _nothing() -> Pixels:
    return np.zeros(0, np.uint8)


def _mapped(path: Path, member: str, size: int) -> Pixels:
    """Maps a stored one-dimensional array of an archive, whose bytes lie there as they are."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(member)
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member} is compressed")
    with path.open("rb") as file:
        file.seek(info.header_offset)
        name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        file.seek(name + extra, 1)
        begin = file.tell()
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        offset = file.tell()
    if dtype != np.uint8 or shape != (size,) or offset + size > begin + info.file_size:
        raise ValueError(f"{member} has {shape} of {dtype}, expected {size} bytes")
    return np.memmap(path, np.uint8, "r", offset=offset, shape=(size,))
