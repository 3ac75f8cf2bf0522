"""Files of word vectors: their formats, what is read of them, and what is refused."""

import bz2
import gzip
import lzma
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skgru._data.vector_files import read_vector_file

WORDS = ["the", ",", "naïve", "of", "New_York", "2024", "猫", "'s", "e-mail", "THE", "nan", "x y"]
ROWS = np.round(np.random.default_rng(0).normal(size=(12, 7)), 4).astype(np.float32)
RAGGED = WORDS[:-1]  # without a space


def text(words=WORDS, rows=ROWS, *, header=False, end="\n", separator=" "):
    """Return a file of word vectors as bytes."""
    lines = [f"{len(words)} {rows.shape[1]}"] * header
    for word, row in zip(words, rows, strict=False):
        lines.append(separator.join([word, *(f"{x:.4f}" for x in row.tolist())]))
    return "".join(line + end for line in lines).encode()


def binary(words=RAGGED, rows=ROWS, *, end=b"\n"):
    records = [w.encode() + b" " + r.tobytes() + end for w, r in zip(words, rows, strict=False)]
    return f"{len(words)} {rows.shape[1]}\n".encode() + b"".join(records)


FORMATS = {
    "GloVe": text(),
    "word2vec": text(header=True),
    "fastText": text(header=True, end=" \n"),
    "Windows": text(header=True, end="\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + text(),
    "byte order mark and header": b"\xef\xbb\xbf" + text(header=True),
    "tabs": text(RAGGED, separator="\t"),
    "no line break at the end": text().removesuffix(b"\n"),
    "blank lines": text().replace(b"\n", b"\n\n"),
    "binary": binary(),
    "binary, without line breaks": binary(end=b""),
}


def written(folder, content, name="vectors.txt"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_every_format_has_the_same_words_and_numbers(content, tmp_path):
    path = written(tmp_path, content)
    read = read_vector_file(path)
    n = len(read.words)
    assert n >= len(RAGGED)
    assert read.words == WORDS[:n]
    assert read.n_rows == n
    assert read.matrix.dtype == np.float32
    assert_array_equal(read.matrix, ROWS[:n])
    some = read_vector_file(str(path), ["2024", "lacking", "naïve"])
    assert some.words == ["naïve", "2024"]
    assert_array_equal(some.matrix, ROWS[[2, 5]])
    assert some.first_words[:2] == ["the", ","]


@pytest.mark.parametrize("content", [text(), binary()], ids=["text", "binary"])
@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_known_by_their_content(content, compress, tmp_path):
    read = read_vector_file(written(tmp_path, compress(content), "vectors"), ["of", "THE"])
    assert read.words == ["of", "THE"]
    assert_array_equal(read.matrix, ROWS[[3, 9]])


def zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_the_only_file_of_an_archive_needs_no_name(tmp_path):
    files = {"folder/": "", "folder/a.txt": text(), "__MACOSX/folder/._a.txt": "x"}
    path = zipped(tmp_path / "a.zip", **files)
    for each in (path, path / "folder" / "a.txt"):
        assert_array_equal(read_vector_file(each, ["of"]).matrix, ROWS[[3]])


def test_one_of_several_files_of_an_archive_is_named_behind_it(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"2d.txt": text(rows=ROWS[:, :2]), "7d.txt": text()})
    assert_array_equal(read_vector_file(path / "2d.txt", ["of"]).matrix, ROWS[[3], :2])
    for wrong in (path, path / "9d.txt"):
        with pytest.raises(ValueError, match=r"expected one of the files .* 'a?.*2d.txt'.* 7d.txt"):
            read_vector_file(wrong)


def test_many_rows_are_read_block_by_block_with_words_that_hold_spaces(tmp_path):
    rows = np.random.default_rng(1).normal(size=(5000, 3)).astype(np.float32)
    words = [f"word{i}" for i in range(5000)]
    words[3000] = ". . ."
    words[4000] = "at name@example.org"
    lines = [f"{w} {' '.join(map(repr, r))}" for w, r in zip(words, rows.tolist(), strict=True)]
    path = written(tmp_path, "\n".join(lines).encode())
    for wanted in (None, words, words[:1] + words[2990:3010]):
        read = read_vector_file(path, wanted)
        assert read.words == (wanted or words)
        assert_array_equal(read.matrix, rows[[words.index(word) for word in read.words]])
    assert read_vector_file(path, [". ."]).words == []


def test_the_first_row_of_a_word_counts(tmp_path):
    path = written(tmp_path, b"a 1 2\nb 3 4\na 5 6\n")
    for wanted in (None, ["a", "b"]):
        read = read_vector_file(path, wanted)
        assert (read.words, read.matrix.tolist()) == (["a", "b"], [[1, 2], [3, 4]])


def test_a_word_that_is_a_space_is_no_word(tmp_path):
    path = written(tmp_path, b"a 1 2\n  3 4\n3 5 6\n")
    assert read_vector_file(path).words == ["a", "3"]


def test_one_number_for_each_word(tmp_path):
    assert read_vector_file(written(tmp_path, b"2 1\na .5\nb -1e3\n")).matrix.tolist() == [
        [0.5],
        [-1e3],
    ]
    assert read_vector_file(written(tmp_path, b"a .5\nb -1e3\n")).words == ["a", "b"]


@pytest.mark.parametrize("content", [FORMATS["GloVe"], FORMATS["word2vec"], FORMATS["binary"]])
def test_a_limit_ends_the_reading(content, tmp_path):
    path = written(tmp_path, content)
    assert read_vector_file(path, limit=4).words == WORDS[:4]
    assert read_vector_file(path, ["of", "THE"], limit=4).words == ["of"]


@pytest.mark.parametrize("make", [text, binary])
def test_words_that_are_no_utf_8_do_no_harm(make, tmp_path):
    content = make(["a", "b", "é"], ROWS[:3]).replace("é".encode(), b"\xe9")
    read = read_vector_file(written(tmp_path, content))
    assert read.words == ["a", "b", "�"]
    assert_array_equal(read.matrix, ROWS[:3])


def test_memory_is_that_of_the_words_that_are_kept(tmp_path):
    rows = np.random.default_rng(0).normal(size=(1, 100)).astype(np.float32)
    tail = text(["w"], rows).removeprefix(b"w")
    path = written(tmp_path, b"".join(b"w%d" % i + tail for i in range(20_000)))
    assert path.stat().st_size > 14e6
    tracemalloc.start()
    read = read_vector_file(path, [f"w{i}" for i in range(0, 20_000, 1000)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(read.words) == 20
    assert peak < 3.5e6


REFUSED = {
    "nothing": (b"", "got an empty file"),
    "blank": (b"\n \n", "got an empty file"),
    "a table": (
        b"word,x,y\na,1,2\n",
        r"expected text with a word .* got b'word,x,y\\n' in its first",
    ),
    "prose": (b"It was the best of times,\nit was the worst of times,\n", "got b'It was the best"),
    "a pickle": (b"\x80\x05\x95" + bytes(range(256)) * 9000, "expected text with a word"),
    "one line": (b"[1.0, " + b"2.0, " * 700_000, "expected text with a word"),
    "a model of fastText": (
        b"\xba\x16\x4f\x2f\x0c\x00",
        "got a model of fastText. Give the file .vec",
    ),
    "too few": (b"a 1 2\nb 1 2\nthe 3\n", "line 3: expected 2 numbers for 'the', as .*, got 1"),
    "too many": (b"a 1 2\nb 1 2\n\nthe 3 4 5\n", "line 4: expected 2 numbers for 'the', .* got 3"),
    "another header": (b"2 3\nthe 1 2\nb 3 4\n", "line 2: expected 3 numbers for 'the', .* got 2"),
    "no number": (b"a 1 2\nthe x 2\n", "line 2: expected 2 numbers for 'the', got 'x' among them"),
    "no word": (b"a 1 2\nthe\n", "line 2: expected 2 numbers for 'the', as the file has, got 0"),
    "NaN": (
        b"a 1 2\nthe 1 nan\n",
        "line 2: expected finite numbers, got NaN or infinity for 'the'",
    ),
    "infinity": (b"a 1 2\nthe 1 1e999\n", "line 2: expected finite numbers"),
    "cut": (b"3 2\na 1 2\nthe 3 4\n", "expected 3 rows, as its first line says, .* ends after 2"),
    "cut, binary": (binary()[:-5], "expected 11 rows, .* ends after 10: it is not complete"),
    "NaN, binary": (
        binary(["a", "the"], np.array([[1, 2], [3, np.nan]], np.float32)),
        "row 2: expected finite numbers",
    ),
    "no word, binary": (b"9 2\n" + b"\x00" * 5_000_000, "got no word in row 1"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(content, message, tmp_path):
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match=message) as error:
        read_vector_file(path, ["the"])
    assert str(path) in str(error.value)


def test_rows_that_are_not_kept_need_not_be_right(tmp_path):
    path = written(tmp_path, b"a 1 2\nthe 3\nb 5 x\n")
    assert read_vector_file(path, ["a"]).matrix.tolist() == [[1, 2]]


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.txt"):
        read_vector_file(tmp_path / "no.txt")
    with pytest.raises(IsADirectoryError, match="expected a file of word vectors, got a folder"):
        read_vector_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="beside"):
        read_vector_file("beside/vectors.txt")


def test_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    written(tmp_path, text())
    assert read_vector_file("~/vectors.txt", ["of"]).words == ["of"]
