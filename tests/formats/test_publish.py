"""Files that are whole or not there: several writers, killed ones, full disks, and what lies in the way."""

import errno
import json
import os
import re
import resource
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from writers import RULES, SPEC, checked, make_set

import fastinit as fi
from fastinit.files import create_npy
from fastinit.formats import publish
from fastinit.formats.publish import publishing
from fastinit.safetensors import create

ROOT = not os.geteuid()


def write(paths, content, overwrite=False, former=tuple):
    with publishing(dict.fromkeys(paths, len(content)), overwrite, former) as files:
        for file in files:
            file.write(content)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["n", "n" * 255, "é" * 127, ".fastinit", " ", "\n"])
def test_names_of_any_length(tmp_path, name):
    write([tmp_path / name], b"new")
    write([tmp_path / name], b"newer", overwrite=True)
    assert contents(tmp_path) == {name: b"newer"}
    (path,) = create(tmp_path / name, {"w": 3}, {"*": fi.Zeros()}, overwrite=True)
    assert os.listdir(tmp_path) == [name] and path.stat().st_size > 12
    with pytest.raises(OSError, match="(?i)name too long"):
        write([tmp_path / ("n" * 256)], b"new")
    with pytest.raises(OSError, match="(?i)name too long"):
        create(tmp_path / ("m" * 250), {"w": 3, "v": 3}, {"*": fi.Zeros()}, shards=2)
    assert os.listdir(tmp_path) == [name]


def in_the_way(kind, path):
    """Something that is no regular file."""
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (path.parent / "aim").write_bytes(b"aim")
        path.symlink_to("aim")
    elif kind == "dangling link":
        path.symlink_to("nothing")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = os.getcwd()
            os.chdir(path.parent)  # a socket's name is short
            try:
                server.bind(path.name)
            finally:
                os.chdir(here)
    else:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


@pytest.mark.parametrize("kind", ["folder", "link", "dangling link", "pipe", "socket",
                                  pytest.param("device", marks=pytest.mark.skipif(not ROOT, reason="root makes devices"))])
@pytest.mark.parametrize("which", ["w.npy", "m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors",
                                   "m.safetensors.index.json"])
def test_what_is_no_file_is_not_replaced(tmp_path, monkeypatch, kind, which):
    def make():
        if which == "w.npy":
            create_npy(tmp_path / which, 3, fi.Zeros(), overwrite=True)
        else:
            create(tmp_path / "m.safetensors", {"a": 3, "b": 3}, {"*": fi.Zeros()}, shards=2, overwrite=True)

    if which != "w.npy":
        make()
        (tmp_path / which).unlink()
    in_the_way(kind, tmp_path / which)
    before = {path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in tmp_path.iterdir()}
    with monkeypatch.context() as patch, pytest.raises(ValueError, match=f"{which}: expected a free name, or a regular file"):
        patch.setattr(publish, "_draft", None)  # refused before a file is made
        make()
    assert {path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in tmp_path.iterdir()} == before


def test_a_path_that_is_no_file_of_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "missing" / "w.npy", tmp_path / "file" / "w.npy"):
        with pytest.raises(FileNotFoundError, match="not a directory.*w.npy"):
            create_npy(path, 3, fi.Zeros())
    with pytest.raises(ValueError, match="a folder"):
        create_npy(tmp_path, 3, fi.Zeros(), overwrite=True)


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    for paths in ([tmp_path / "w"], [tmp_path / "a", tmp_path / "w"]):
        with pytest.raises(FileExistsError, match="overwrite=True"), publishing(dict.fromkeys(paths, 3), False) as files:
            for file in files:
                file.write(b"new")
            (tmp_path / "w").write_bytes(b"mine")
        assert contents(tmp_path) == {"w": b"mine"}
        (tmp_path / "w").unlink()


@pytest.mark.parametrize("links", [True, False])
def test_at_the_last_instant_too(tmp_path, monkeypatch, links):
    """After the last check, with and without a file system that has links."""
    own = os.link

    def late(old, new):
        (tmp_path / "w").write_bytes(b"mine")
        if not links:
            raise OSError(errno.EPERM, "no links here")
        own(old, new)

    monkeypatch.setattr(os, "link", late)
    for paths in ([tmp_path / "w"], [tmp_path / "a", tmp_path / "w"]):
        with pytest.raises(FileExistsError, match="overwrite=True"):
            write(paths, b"new")
        assert contents(tmp_path) == {"w": b"mine"}
        (tmp_path / "w").unlink()


def test_without_links(tmp_path, monkeypatch):
    def none(old, new):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", none)
    write([tmp_path / "a", tmp_path / "b"], b"new")
    assert contents(tmp_path) == {"a": b"new", "b": b"new"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o640, 0o777])
@pytest.mark.parametrize("shards", [1, 2])
def test_mode_and_owner_are_kept(tmp_path, mode, shards):
    def make(shards):
        return create(tmp_path / "m.safetensors", {"a": 3, "b": 3, "c": 3}, {"*": fi.Zeros()}, shards=shards, overwrite=True)

    for path in make(2):
        path.chmod(mode)
        if ROOT:
            os.chown(path, 12, 34)
    for path in make(shards):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == mode
        assert not ROOT or (found.st_uid, found.st_gid) == (12, 34)


def test_nobody_else_reads_what_is_not_whole(tmp_path):
    with publishing({tmp_path / "w": 3}, False) as (file,):
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600


def test_a_group_that_cannot_be_kept_gets_nothing(tmp_path, monkeypatch):
    def refused(*args):
        raise PermissionError(errno.EPERM, "not yours")

    write([tmp_path / "w"], b"old")
    (tmp_path / "w").chmod(0o664)
    monkeypatch.setattr(os, "fchown", refused)
    write([tmp_path / "w"], b"new", overwrite=True)
    assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o604


@pytest.mark.parametrize("before", [1, 2, 3])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_sharded_anew_nothing_of_the_old_is_left(tmp_path, before, after):
    (tmp_path / "m-00001-of-00009.safetensors").write_bytes(b"of nobody")
    (tmp_path / "other-00001-of-00003.safetensors").write_bytes(b"of another")
    old = make_set(tmp_path, 1, before)
    with pytest.raises(FileExistsError):
        create(tmp_path / "m.safetensors", SPEC, RULES, shards=after)
    assert all(path.exists() for path in old)
    made = make_set(tmp_path, 2, after)
    assert {path.name for path in made} | {"m-00001-of-00009.safetensors", "other-00001-of-00003.safetensors"} == {
        *os.listdir(tmp_path)}


@pytest.mark.parametrize("index", [b"", b"{", b"[]", b'{"weight_map": 3}', b'{"weight_map": {"a": 3}}', b"[" * 10**5,
                                   b'{"weight_map": {"a": "../m-00001-of-00003.safetensors", "b": "x"}}', b"\xff"])
def test_an_index_that_is_none_is_replaced_alone(tmp_path, index):
    (tmp_path / "f").mkdir()
    (tmp_path / "m-00001-of-00003.safetensors").write_bytes(b"above")
    (tmp_path / "f" / "x").write_bytes(b"mine")
    (tmp_path / "f" / "m.safetensors.index.json").write_bytes(index)
    make_set(tmp_path / "f", 1, 2)
    assert sorted(os.listdir(tmp_path / "f")) == ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors",
                                                  "m.safetensors.index.json", "x"]
    assert (tmp_path / "m-00001-of-00003.safetensors").exists()


CALLS = ("link", "replace", "rename", "fsync", "ftruncate", "unlink", "pwrite", "fchmod", "posix_fallocate", "fstat")


def failing(monkeypatch, at, failure):
    """The at-th call of the system from now on fails; returns what tells how many calls there were."""
    count = [0]

    def wrapped(own):
        def call(*args, **options):
            count[0] += 1
            if count[0] == at:
                failure()
            return own(*args, **options)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, wrapped(getattr(os, name)))
    return count


@pytest.mark.parametrize("before, after", [
    (1, 1), *(pytest.param(*case, marks=pytest.mark.slow) for case in [(1, 3), (3, 1), (3, 3), (3, 2), (0, 1), (0, 3)])])
def test_any_call_of_the_system_may_fail(tmp_path, monkeypatch, before, after):
    """All is as it was, or all is new."""
    def fail():
        raise OSError(errno.EIO, "the disk is broken")

    for at in range(1, 1000):
        folder = tmp_path / str(at)
        folder.mkdir()
        if before:
            make_set(folder, 1, before)
        old = contents(folder)
        with monkeypatch.context() as patch:
            count = failing(patch, at, fail)
            try:
                made = make_set(folder, 2, after)
            except OSError as error:
                assert error.errno == errno.EIO
        if count[0] < at:
            break
        # What could not be tidied up, the next run tidies.
        create_npy(folder / "next.npy", 3, fi.Zeros())
        (folder / "next.npy").unlink()
        names = set(os.listdir(folder))
        assert contents(folder) == old or names == {f"m-{i:05d}-of-{after:05d}.safetensors" for i in range(1, after + 1)} | {
            "m.safetensors.index.json"} or names == {"m.safetensors"}, at
        assert contents(folder) == old or 2 in checked(folder)
    assert at > 10 and sorted(path.name for path in made) == sorted(os.listdir(folder))


KILLED_AT = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:2]
import test_publish
folder, at, after = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
class Patch:
    setattr = staticmethod(setattr)
count = test_publish.failing(Patch, at, lambda: os.kill(os.getpid(), 9))
test_publish.make_set(folder, 2, after)
print(count[0])
"""


@pytest.mark.parametrize("before, after", [
    (1, 1), *(pytest.param(*case, marks=pytest.mark.slow) for case in [(1, 3), (3, 1), (3, 3), (3, 2), (0, 3)])])
def test_killed_at_any_call(tmp_path, before, after):
    """By SIGKILL; what is there before the next run, and after it."""
    make = [sys.executable, "-c", KILLED_AT, os.path.dirname(__file__)]
    (tmp_path / "count").mkdir()
    if before:
        make_set(tmp_path / "count", 1, before)
    most = int(subprocess.run([*make, tmp_path / "count", "0", str(after)], check=True, stdout=subprocess.PIPE).stdout)
    assert most > 10
    for at in range(1, most + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        if before:
            make_set(folder, 1, before)
        old = contents(folder)
        assert subprocess.run([*make, folder, str(at), str(after)]).returncode == -9
        checked(folder)
        create_npy(folder / "next.npy", 3, fi.Zeros())
        (folder / "next.npy").unlink()
        assert contents(folder) == old or 2 in checked(folder) and not [
            name for name in os.listdir(folder) if name.startswith(".fastinit") or name in old and after != before
            and name != "m.safetensors.index.json"]
        assert not [name for name in os.listdir(folder) if name.startswith(".fastinit")], at


def test_what_is_being_written_is_no_leftover(tmp_path):
    with publishing({tmp_path / "a": 3}, False) as (file,):
        write([tmp_path / "b"], b"new")
        file.write(b"old")
    assert contents(tmp_path) == {"a": b"old", "b": b"new"}


def test_what_looks_like_a_leftover_and_is_none_stays(tmp_path):
    mark = publish._mark()
    other = f".fastinit-{os.geteuid() + 1}-0123456789abcdef"
    for name in (f"{mark}-0123", f"{mark}-0123456789abcdef.npy", "fastinit", other):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / f"{mark}-0123456789abcdef").mkdir()
    (tmp_path / f"{mark}-0123456789abcde0").symlink_to(other)
    os.mkfifo(tmp_path / f"{mark}-0123456789abcde1")
    (tmp_path / f"{mark}-0123456789abcde2").write_bytes(b"left")
    before = set(os.listdir(tmp_path))
    write([tmp_path / "w"], b"new")
    assert set(os.listdir(tmp_path)) == before - {f"{mark}-0123456789abcde2"} | {"w"}


@pytest.mark.parametrize("journal", [b"", b"{", b"3", b"[]", b"[[], []]", b"[[[1, 2]], []]", b"[" * 10**5, b"\xff",
                                     b'[[[7, "a"]], [[INODE, "a", "../b"]]]', b'[[[7, "w"]], [[8, "a", "b"]]]'])
def test_a_journal_from_elsewhere_moves_nothing(tmp_path, journal):
    (tmp_path / "f").mkdir()
    for path in (tmp_path / "f" / "a", tmp_path / "b", tmp_path / "f" / "b"):
        path.write_bytes(b"mine")
    lock = tmp_path / "f" / f"{publish._mark()}.lock"
    lock.write_bytes(journal.replace(b"INODE", str((tmp_path / "b").stat().st_ino).encode()))
    write([tmp_path / "f" / "w"], b"new")
    assert contents(tmp_path / "f") == {"a": b"mine", "b": b"mine", "w": b"new"} and (tmp_path / "b").exists()


def test_two_writers_of_one_name(tmp_path):
    """Of those that may not replace, one wins; of those that may, each wins in turn, and the last."""
    for overwrite in (False, True):
        path = tmp_path / f"{overwrite}.npy"

        def make(seed, path=path, overwrite=overwrite):
            try:
                create_npy(path, 1000, fi.Normal(), seed=seed, overwrite=overwrite)
                return seed
            except FileExistsError:
                return None

        with ThreadPoolExecutor(4) as pool:
            won = [seed for seed in pool.map(make, range(12)) if seed is not None]
        assert len(won) == (12 if overwrite else 1)
        assert any((np.load(path) == fi.normal(1000, seed=seed)).all() for seed in won)
        assert os.listdir(tmp_path) == [path.name]
        path.unlink()


LIMITED = """
import resource, sys
from fastinit.commands import cli
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("out", ["m.npy", "m.npz", "m.safetensors"])
def test_a_file_that_may_not_be_as_large_is_refused(tmp_path, out):
    (tmp_path / "spec.json").write_text(json.dumps({"tensors": {"w": [1000]}, "rules": {"*": "normal"}}))
    for limit, code in ((4000, 3), (8000, 0)):  # the values alone would fit
        done = subprocess.run([sys.executable, "-c", LIMITED, str(limit), "init", str(tmp_path / "spec.json"),
                               str(tmp_path / out)], capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert code == 0 or re.search(rf"\d+ bytes are needed, more than this process may write, {limit} bytes.*{out}",
                                      done.stderr)
        assert sorted(os.listdir(tmp_path)) == sorted(["spec.json", *[out] * (code == 0)])


def test_a_folder_without_room(tmp_path):
    for shape in ([2**45], [2**48]):
        with pytest.raises(OSError, match=r"\d+ bytes are needed, \d+ bytes are free: .*w.npy"):
            create_npy(tmp_path / "w.npy", shape, fi.Zeros())
    with pytest.raises(OSError, match=r"\d{20} bytes are needed, \d+ bytes are free"):  # more than an offset can tell
        create(tmp_path / "m", {str(i): 2**48 for i in range(9000)}, {"*": fi.Zeros()})
    assert not os.listdir(tmp_path)


def test_a_disk_that_fills_up_meanwhile(tmp_path, monkeypatch):
    """Where nothing can be allocated, the write is refused, and the file closes with what it could not write."""
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(OSError, match="bytes are needed, more than"), publishing({tmp_path / "w": 9}, False) as (file,):
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
            file.write(bytes(10**4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not os.listdir(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="5000 bytes are needed, more than this process may write, 4096 bytes"):
            write([tmp_path / "w"], bytes(5000))
        write([tmp_path / "w"], bytes(4096))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == ["w"]


@pytest.mark.parametrize("shape", [(0, 2**70), (0, 2**40, 2**40), (1,) * 100, (2**62, 4)])
def test_a_shape_that_no_array_has_is_not_written(tmp_path, shape):
    for make in (lambda: create_npy(tmp_path / "w.npy", shape, fi.Zeros()),
                 lambda: create(tmp_path / "m.safetensors", {"w": (shape, "float32")}, {"*": fi.Zeros()})):
        with pytest.raises(ValueError, match="shape"):
            make()
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("metadata, error", [
    ({"a": "\ud800"}, ValueError), ({"\udfff": "a"}, ValueError), ([("a", "b")], TypeError), ({"a": b"b"}, TypeError),
    ("ab", TypeError), ({"a": "x" * 10**8}, ValueError)])
def test_metadata_that_nobody_reads_is_not_written(tmp_path, metadata, error):
    with pytest.raises(error, match="metadata|header"):
        create(tmp_path / "m.safetensors", {"w": 3}, {"*": fi.Zeros()}, metadata=metadata)
    assert not os.listdir(tmp_path)



@pytest.mark.slow
def test_two_hundred_rounds_of_four_writers():
    """Killed at random instants, on disks that fill up, in folders that cannot be written to: see writers.py."""
    done = subprocess.run([sys.executable, Path(__file__).with_name("writers.py")], stdout=subprocess.PIPE, text=True)
    print(done.stdout)
    assert done.returncode == 0 and done.stdout.startswith("200 rounds")


def test_three_rounds_of_four_writers():
    done = subprocess.run([sys.executable, Path(__file__).with_name("writers.py"), "3"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0 and done.stdout.startswith("3 rounds")
