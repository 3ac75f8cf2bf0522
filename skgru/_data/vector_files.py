"""Files of word vectors, read as streams, of which the rows of some words are kept.

| format | first line | then, for each word |
| --- | --- | --- |
| GloVe | – | a line: the word and its numbers |
| word2vec as text, fastText's `.vec` | how many rows, how many numbers in each | the same |
| word2vec, binary | the same | the word, a space, the numbers in single precision |

A file may be compressed (gzip, bzip2, xz), or lie in a zip archive: the one file that is in it, or
the one that a path names behind the archive's own.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BUFFER = 1 << 20
# No line of a file of vectors is so long.
_LONGEST_LINE = 1 << 20
# So many lines say how many numbers a row has.
_N_SAMPLED = 10
# So many rows are parsed at once.
_BLOCK = 1024

_OPENERS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_ZIP = b"PK\x03\x04"
_FASTTEXT_MODEL = b"\xba\x16\x4f\x2f"

_HEADER = re.compile(rb"\s*(\d+)\s+(\d+)\s*\Z")
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\Z")
# Bytes of single-precision numbers that no text has.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")

_FORMATS = (
    "expected text with a word and its numbers in each line (GloVe, word2vec, fastText's .vec), or "
    "the binary format of word2vec"
)


class VectorFile(NamedTuple):
    """What was kept of a file of word vectors.

    Attributes
    ----------
    words : list of str
        In the order of the file, each once.
    matrix : ndarray of shape (n_words, n_dimensions), dtype=float32
    n_rows : int
        How many rows were read.
    first_words : list of str
        The first few words of the file.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    n_rows: int
    first_words: list[str]


class _Row(NamedTuple):
    """A row of a file: the number of its line or of the row, its word, its numbers as bytes."""

    number: int
    word: bytes
    numbers: bytes


class _Kept:
    """Rows that are kept, each word's first one."""

    def __init__(self, place: str, n_values: int, wanted: Collection[bytes] | None) -> None:
        self._place = place
        self._n_values = n_values
        self._wanted = wanted
        self._words: dict[bytes, None] = {}
        self._numbers = bytearray()
        self.n_rows = 0
        self.first_words: list[bytes] = []

    def count(self, word: bytes) -> None:
        """Take note of a row, whether it is kept or not."""
        self.n_rows += 1
        if len(self.first_words) < _N_SAMPLED:
            self.first_words.append(word)

    def add(self, row: _Row) -> None:
        """Keep a row if its word is wanted, and new."""
        if row.word in self._words or not (self._wanted is None or row.word in self._wanted):
            return
        if not np.isfinite(np.frombuffer(row.numbers, "<f4")).all():
            raise ValueError(
                f"{self._place.format(row.number)}: expected finite numbers, got NaN or infinity "
                f"for {_decode(row.word)!r}."
            )
        self._words[row.word] = None
        self._numbers += row.numbers

    def result(self) -> VectorFile:
        """Return all that was kept."""
        matrix = np.frombuffer(self._numbers, "<f4").reshape(-1, self._n_values)
        return VectorFile(
            list(map(_decode, self._words)),
            matrix.astype(np.float32, copy=False),
            self.n_rows,
            list(map(_decode, self.first_words)),
        )


def read_vector_file(
    path: str | os.PathLike[str], words: Iterable[str] | None = None, *, limit: int | None = None
) -> VectorFile:
    """Read the vectors of some words; memory is taken for these alone.

    Parameters
    ----------
    path : str or path-like
    words : iterable of str or None, default=None
        The words whose rows are kept; None = all.
    limit : int or None, default=None
        How many rows are read, from the first on; None = all.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is no file of word vectors, or if a row that is kept has another number of values.
    """
    wanted = None if words is None else {word.encode(errors="surrogatepass") for word in words}
    with _opened(path) as stream:
        first = stream.readline(_LONGEST_LINE).removeprefix(codecs.BOM_UTF8)
        header = _HEADER.match(first)
        n_expected = None
        if header and _NO_TEXT.search(stream.peek(_BUFFER)[:1024]):
            n_expected, n_values = map(int, header.groups())
            kept = _Kept(f"{path}, row {{}}", n_values, wanted)
            for row in islice(_binary_rows(stream, n_values, n_expected, path), limit):
                kept.count(row.word)
                kept.add(row)
        else:
            sample = [stream.readline(_LONGEST_LINE) for _ in range(_N_SAMPLED)]
            if header and (int(header[2]) == 1 or len(sample[0].split()) > 2):
                n_expected, n_values = map(int, header.groups())
            else:
                header, sample = None, [first, *sample]
                n_values = _number_of_values(sample, path)
            kept = _Kept(f"{path}, line {{}}", n_values, wanted)
            lines = zip(count(2 if header else 1), chain(sample, stream), strict=False)
            _read_text(lines, n_values, wanted, limit, kept, path)
    if n_expected is not None and limit is None and kept.n_rows < n_expected:
        raise ValueError(
            f"{path}: expected {n_expected} rows, as its first line says, but it ends after "
            f"{kept.n_rows}: it is not complete."
        )
    return kept.result()


# --- Files and archives ---------------------------------------------------------------------------


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """Open a file, compressed or not, or one in an archive."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(
            f"{path}: expected a file of word vectors, got a folder. A model of spaCy or gensim is "
            "loaded by that library, and handed over as it is."
        )
    archive = path
    while not archive.exists() and archive != archive.parent:
        archive = archive.parent
    with ExitStack() as stack:
        source = archive if archive.is_file() else path
        with open(source, "rb") as file:
            start = file.read(6)
        if start.startswith(_ZIP):
            files = stack.enter_context(zipfile.ZipFile(source))
            raw: Any = stack.enter_context(files.open(_member(files, source, path)))
        else:
            if start.startswith(_FASTTEXT_MODEL):
                raise ValueError(
                    f"{path}: {_FORMATS}, got a model of fastText. Give the file .vec beside it, "
                    "or load the model with fasttext or gensim and hand it over as it is."
                )
            opens = [opener for mark, opener in _OPENERS.items() if start.startswith(mark)]
            raw = stack.enter_context(opens[0](path) if opens else io.FileIO(path))
        # Lines of compressed files are far faster by a buffer written in C.
        yield stack.enter_context(io.BufferedReader(raw, _BUFFER))


def _member(files: zipfile.ZipFile, archive: Path, path: Path) -> str:
    """Return the name of the file in an archive that a path means."""
    names = [info.filename for info in files.infolist() if not info.is_dir()]
    names = [name for name in names if not name.startswith("__MACOSX/")]
    wanted = path.relative_to(archive).as_posix()
    if wanted in names:
        return wanted
    if wanted == "." and len(names) == 1:
        return names[0]
    example = archive / (names or ["name"])[0]
    raise ValueError(
        f"{path}: expected one of the files of the archive, such as {str(example)!r}; there are "
        f"{', '.join(names) or 'none'}."
    )


# --- Text -----------------------------------------------------------------------------------------


def _number_of_values(sample: list[bytes], path: Any) -> int:
    """Return how many numbers the rows of a file without header have, by its first lines.

    Most words have no space in them: the number of fields is that of most lines.
    """
    numbers = Counter(len(line.split()) - 1 for line in sample if line.strip())
    n_values = numbers.most_common(1)[0][0] if numbers else 0
    first = next((line for line in sample if line.strip()), b"")
    is_row = n_values > 0 and _NUMBER.match(first.split()[-1])
    if not is_row or (len(first) == _LONGEST_LINE and not first.endswith(b"\n")):
        got = f"{first[:50]!r} in its first line" if first else "an empty file"
        raise ValueError(f"{path}: {_FORMATS}, got {got}.")
    return n_values


def _read_text(
    lines: Iterable[tuple[int, bytes]],
    n_values: int,
    wanted: Collection[bytes] | None,
    limit: int | None,
    kept: _Kept,
    path: Any,
) -> None:
    """Keep rows of numbered lines, parsed block by block."""
    # Words may hold spaces: by what stands before the first one, lines are chosen.
    beginnings = None if wanted is None else {word.split(b" ", 1)[0] for word in wanted}
    block: list[tuple[int, bytes]] = []
    for number, line in lines:
        if limit is not None and kept.n_rows >= limit:
            break
        beginning = line.split(None, 1)[:1]
        if not beginning:
            continue
        kept.count(beginning[0])
        if beginnings is None or beginning[0] in beginnings:
            block.append((number, line))
            if len(block) == _BLOCK:
                _parse(block, n_values, kept, path)
                block = []
    _parse(block, n_values, kept, path)


def _parse(block: list[tuple[int, bytes]], n_values: int, kept: _Kept, path: Any) -> None:
    """Keep the rows of some lines."""
    if not block:
        return
    parts = [line.split(None, 1) for _, line in block]
    try:
        # Not all bytes need be UTF-8 where a word holds spaces; numbers are.
        texts = [part[1].decode("latin-1") for part in parts]
        matrix = np.loadtxt(texts, dtype=np.float32, comments=None, ndmin=2)
        is_regular = matrix.shape == (len(block), n_values)
    except (ValueError, IndexError):
        is_regular = False
    if is_regular:
        for (number, _), part, row in zip(block, parts, matrix.astype("<f4"), strict=True):
            kept.add(_Row(number, part[0], row.tobytes()))
    else:
        for number, line in block:
            row = _parse_line(number, line, n_values, path)
            if row is not None:
                kept.add(row)


def _parse_line(number: int, line: bytes, n_values: int, path: Any) -> _Row | None:
    """Return the row of one line, whose word may hold spaces; None if its word is a space."""
    fields = line.split()
    n_found = len(fields) - 1
    if n_found == n_values - 1 and line[:1].isspace():
        return None
    too_many = n_found > n_values and _NUMBER.match(fields[-n_values - 1])
    if n_found < n_values or too_many:
        raise ValueError(
            f"{path}, line {number}: expected {n_values} numbers for {_decode(fields[0])!r}, as "
            f"the file has, got {n_found}."
        )
    word, numbers = b" ".join(fields[:-n_values]), fields[-n_values:]
    try:
        values = np.array(list(map(float, numbers)), "<f4")
    except ValueError:
        wrong = next(field for field in numbers if not _NUMBER.match(field))
        raise ValueError(
            f"{path}, line {number}: expected {n_values} numbers for {_decode(word)!r}, got "
            f"{_decode(wrong)!r} among them."
        ) from None
    return _Row(number, word, values.tobytes())


# --- Binary ---------------------------------------------------------------------------------------


def _binary_rows(stream: IO[bytes], n_values: int, n_rows: int, path: Any) -> Iterator[_Row]:
    """Yield the rows of a binary file behind its header."""
    size, data, start = 4 * n_values, b"", 0
    for number in range(1, n_rows + 1):
        end = data.find(b" ", start)
        while end < 0 or len(data) <= end + size:
            more = stream.read(_BUFFER)
            if not more:
                return
            if len(data) - start > size + _BUFFER:
                raise ValueError(f"{path}: {_FORMATS}, got no word in row {number}.")
            data, start = data[start:] + more, 0
            end = data.find(b" ")
        # Some writers end a row by a line break, others do not.
        word = data[start:end].lstrip(b"\n")
        start = end + 1 + size
        yield _Row(number, word, data[end + 1 : start])


def _decode(word: bytes) -> str:
    """Return a word as text; of some files, words were cut in the middle of a character."""
    return word.decode(errors="replace")
