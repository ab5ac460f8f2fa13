"""The header of a safetensors file: what is written is read, and what does not fit the file is refused."""

import io
import json

import pytest

import fastinit as fi
from fastinit.core.dtypes import DTYPES
from fastinit.formats import safetensors_header, strict_json
from fastinit.formats.read import read
from fastinit.formats.safetensors_header import decode, encode
from fastinit.safetensors import create


def decoded(header, bytes_behind, size=None):
    """`decode` of a header, as JSON or as text, in a file of so many bytes more."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file = len(text if size is None else range(size)).to_bytes(8, "little") + text + bytes(bytes_behind)
    return decode(io.BytesIO(file), len(file))


def tensor(**changes):
    return {"w": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]} | changes}


@pytest.mark.parametrize("names", [[], ["w"], ["é", "", 'a"b', "b\n"]])
def test_what_is_written_is_read(names):
    tensors = [(name, dtype, (i, 3)) for i, name in enumerate(names) for dtype in DTYPES.values()]
    tensors = [(f"{name}.{dtype.name}", dtype, shape) for name, dtype, shape in tensors]
    header = encode(tensors, {"format": "pt"})
    total = sum(dtype.itemsize * shape[0] * shape[1] for _, dtype, shape in tensors)
    entries, first = decode(io.BytesIO(header), len(header) + total)
    assert first == len(header) and first % 8 == 0
    assert [(entry.name, entry.dtype, entry.shape) for entry in entries] == tensors
    assert [entry.start for entry in entries] == [0, *(entry.end for entry in entries)][:len(entries)]
    assert not entries or entries[-1].end == total


def test_what_is_no_float_is_told_without_a_dtype():
    entries, _ = decoded(tensor(dtype="I64", shape=[6]), 48)
    assert [(entry.code, entry.dtype) for entry in entries] == [("I64", None)]


@pytest.mark.parametrize(("header", "bytes_behind", "told"), [
    (tensor(), 47, "expected 48 bytes of tensors, got 47"), (tensor(data_offsets=[-48, 0]), 48, "tensor 'w'"),
    (tensor(data_offsets=[48, 0]), 48, "tensor 'w'"), (tensor(data_offsets=[0, 44]), 48, "tensor 'w'"),
    (tensor(shape=[3, 5]), 99, "tensor 'w'"), (tensor(dtype="F64"), 99, "tensor 'w'"),
    (tensor(dtype="I64", data_offsets=[0, 100]), 99, "tensor 'w'"), (tensor(shape=[3, -4]), 48, "not its JSON"),
    (tensor(shape=[3, 4.0]), 48, "not its JSON"), (tensor(data_offsets=[0.0, 48.0]), 48, "not its JSON"),
    (tensor(data_offsets=[0]), 48, "not its JSON"), ({"w": {}}, 48, "not its JSON"), ([tensor()], 48, "not its JSON"),
    (tensor(data_offsets=[False, 48]), 48, "not its JSON"), (json.dumps(tensor()).encode("utf-16"), 48, "not its JSON"),
    (b"{}", 0, None), (b"{", 9, "of 1 bytes"), (b"\xff\xff", 0, "not its JSON"), (b"[" * 10**5, 0, "not its JSON"),
])
def test_a_header_that_does_not_fit_is_refused(header, bytes_behind, told):
    if told is None:
        assert decoded(header, bytes_behind) == ([], 10)
    else:
        with pytest.raises(ValueError, match=told):
            decoded(header, bytes_behind)


def test_a_shape_that_no_array_has_is_refused_with_the_name_of_its_file(tmp_path):
    for shape in ([10**30, 0], [0] * 100):
        text = json.dumps(tensor(shape=shape, data_offsets=[0, 0])).encode()
        (tmp_path / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
        with pytest.raises(ValueError, match="w.safetensors: .*(dimension|got .10{30}, 0)"):
            list(read(tmp_path / "w.safetensors"))


def test_a_header_longer_than_the_file_is_refused():
    assert len(decoded(tensor(), 48)[0]) == 1
    with pytest.raises(ValueError, match="of 1000 bytes"):
        decoded(tensor(), 48, size=1000)


def test_the_longest_header_that_is_read_is_the_longest_that_is_written(tmp_path, monkeypatch):
    header = encode([("w", DTYPES["float32"], ())], {})
    monkeypatch.setattr(safetensors_header, "MAX_BYTES", len(header) - 8)
    assert encode([("w", DTYPES["float32"], ())], {}) == header
    assert len(decode(io.BytesIO(header), len(header) + 4)[0]) == 1
    monkeypatch.setattr(safetensors_header, "MAX_BYTES", len(header) - 9)
    with pytest.raises(ValueError, match="more files"):
        encode([("w", DTYPES["float32"], ())], {})
    with pytest.raises(ValueError, match=f"of {len(header) - 8} bytes"):
        decode(io.BytesIO(header), len(header) + 4)
    with pytest.raises(ValueError, match="more files"):
        create(tmp_path / "m.safetensors", {"w": ()}, {"*": fi.Zeros()})
    assert not any(tmp_path.iterdir())


def test_a_key_that_comes_twice_among_many_is_found():
    """In a time that grows with their number, not with its square: that would be hours."""
    keys = ",".join(f'"{i}":0' for i in range(300_000))
    with pytest.raises(ValueError, match="^got the key '299999' twice"):
        strict_json.loads("{" + keys + ',"299999":0}')
