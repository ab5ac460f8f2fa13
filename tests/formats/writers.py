"""``python tests/formats/writers.py [ROUNDS]``: in each round four writers of one checkpoint at once.

As one file or in shards. Some may not replace what is there, some are killed at a random instant, some may not write as much
as they need, or the disk is full. While they write, and after each round, every file under a final name is whole and of one
run; after the next run nothing is left of those that were stopped.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import fastinit as fi
from fastinit.files import create_npy
from fastinit.safetensors import create

SPEC, RULES = {"a": (30, 40), "b": 1200, "c": (3, 400)}, {"*": fi.Normal()}


def make_set(folder, seed, shards, name="m.safetensors"):
    return create(folder / name, SPEC, RULES, seed=seed, shards=shards, overwrite=True)


def checked(folder):
    """Every file under a final name is whole and of one run, told by the values; the index names what is there. Gives the
    seeds of the runs: of the set, or None without an index, and of the single file."""
    def seed_of(path):
        blob = path.read_bytes()
        length = int.from_bytes(blob[:8], "little")
        header = json.loads(blob[8:8 + length])
        header.pop("__metadata__")
        assert len(blob) == 8 + length + max(entry["data_offsets"][1] for entry in header.values())
        seeds = set()
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            seeds.add(SEEDS[name, blob[8 + length + start:8 + length + end]])
        (seed,) = seeds
        return seed, set(header)

    index, single = folder / "m.safetensors.index.json", folder / "m.safetensors"
    seeds = {path.name: seed_of(path) for path in folder.glob("m*.safetensors")}
    alone = seeds[single.name][0] if single.exists() else None
    if not index.exists():
        return None, alone
    named = json.loads(index.read_text())["weight_map"]
    assert named.keys() == SPEC.keys() and all(tensor in seeds[name][1] for tensor, name in named.items())
    (seed,) = {seeds[name][0] for name in named.values()}
    return seed, alone


SEEDS = {(name, fi.normal(shape, seed=seed, name=name).tobytes()): seed for name, shape in SPEC.items() for seed in range(64)}


def identity(path):
    """Changes when the file, or its name, does; None for what is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_ctime_ns


def look(folder):
    """A reader's look while others write: whether index and shards were of one run, unless the index changed meanwhile."""
    index = folder / "m.safetensors.index.json"
    before = identity(index)
    if before is None:
        return False
    try:
        checked(folder)
    except (FileNotFoundError, KeyError, ValueError, AssertionError):
        if identity(index) == before:
            raise
        return False
    return True


def write(folder, seed, shards, overwrite, limit):
    """In a process of its own: its exit code is that of the command."""
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        create(folder / "m.safetensors", SPEC, RULES, seed=seed, shards=shards, overwrite=overwrite)
    except FileExistsError:
        return 2
    except OSError:
        return 3
    return 0


def forked(function, *arguments):
    pid = os.fork()
    if not pid:
        code = 70
        try:
            code = function(*arguments)
        finally:
            os._exit(code)
    return pid


def compete(folder, draw, kill):
    """Four writers at once. Returns the seed and the exit code of each, negative for a signal."""
    writers = []
    for _ in range(4):
        seed = draw.randrange(64)
        limit = draw.choice([2000, 6000]) if draw.random() < 0.1 else 0
        writers.append((seed, forked(write, folder, seed, draw.choice([1, 2, 3]), draw.random() < 0.8, limit)))
    looks = 0
    if kill:
        time.sleep(draw.random() * 0.03)
        for _, pid in writers[:draw.randint(1, 4)]:
            os.kill(pid, signal.SIGKILL)
    else:
        looks = sum(look(folder) for _ in range(5))
    return [(seed, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) for seed, pid in writers], looks


def run_round(folder, draw, kill, tally):
    before = checked(folder)
    codes, looks = compete(folder, draw, kill)
    tally["looks at a whole set meanwhile"] += looks
    for _, code in codes:
        tally[{0: "wrote", 2: "refused, as the file exists", 3: "without room", -9: "killed"}[code]] += 1
    found = checked(folder)
    wrote = [seed for seed, code in codes if code == 0]
    if -9 not in [code for _, code in codes] and wrote:
        assert (set(found) - {None}) <= set(wrote), (found, codes)
    tally["found leftovers"] += any(name.startswith(".fastinit") for name in os.listdir(folder))
    try:
        create_npy(folder / "next.npy", 3, fi.Zeros())  # the next run, whatever it makes
        (folder / "next.npy").unlink()
    except OSError:
        assert os.path.ismount(folder)
        raise
    after = checked(folder)
    assert {*after} - {None} <= {*found, *before, *(seed for seed, code in codes if code in (0, -9))}
    index = folder / "m.safetensors.index.json"
    named = set(json.loads(index.read_text())["weight_map"].values()) if index.exists() else set()
    left = set(os.listdir(folder)) - named - {index.name, "m.safetensors"}
    assert not left, left


def refused(folder):
    """In a folder that its owner made read-only; root, who may do all, becomes another."""
    if not os.geteuid():
        os.setgid(65534)
        os.setuid(65534)
    return write(folder, 0, 3, True, 0)


def main(rounds=200):
    draw, tally = random.Random(1), Counter()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        plain, small, locked = (Path(base) / name for name in ("plain", "small", "locked"))
        for folder in (plain, small, locked):
            folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", small]
        mounted = not os.geteuid() and subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0
        try:
            make_set(locked, 5, 3)
            locked.chmod(0o555)
            for i in range(rounds):
                run_round(small if mounted and i % 2 else plain, draw, i % 3 > 0, tally)
                if i % 20 == 0:
                    code = os.waitstatus_to_exitcode(os.waitpid(forked(refused, locked), 0)[1])
                    assert code == 3 and checked(locked) == (5, None) and len(os.listdir(locked)) == 4
                    tally["refused, as the folder is read-only"] += 1
        finally:
            if mounted:
                subprocess.run(["umount", small], check=True)
    disk = "a tmpfs of 100 KB in every second" if mounted else "no tmpfs could be mounted"
    print(f"{rounds} rounds of 4 writers in {time.perf_counter() - start:.0f} s, {disk}: "
          + ", ".join(f"{n} {what}" for what, n in sorted(tally.items())))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
