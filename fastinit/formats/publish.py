"""Files that are whole or not there: written beside their names, brought to the disk, then named.

A *draft* is written under a short name of its own in the folder where the file will be, opened exclusively, and locked until it
has its name: a draft that nobody holds was left by a run that was stopped, and the next run in that folder removes it. One run
of a user at a time names files in a folder; several files get their names together, or, with a journal, none does.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

try:
    import fcntl
except ImportError:  # Windows: no locks, so what was left by others is not told from what is being written
    fcntl = None  # type: ignore[assignment]

__all__ = ["publishing"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_FOLLOWING = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
MAX_JOURNAL = 2**28  # bytes: of a million files
ACCESS_LIST = "system.posix_acl_access"


def _mark() -> str:
    """How the names of a user's drafts begin: short, as a file's own name may be as long as the file system allows."""
    return f".fastinit-{os.geteuid() if hasattr(os, 'geteuid') else 0}"


def _new_name() -> str:
    return f"{_mark()}-{secrets.token_hex(8)}"


class Draft(NamedTuple):
    """A file that is being written: where it will be, where it is, and its mode if it replaces none."""

    target: Path
    path: Path
    file: IO[bytes]
    mode: int


class Journal(NamedTuple):
    """What naming several files changes: inodes and names of the new ones, the one that tells of the others last; inodes of the
    old ones, their names, and what they are called meanwhile, the ones that tell of others first."""

    new: list[tuple[int, str]]
    old: list[tuple[int, str, str]]


@contextlib.contextmanager
def publishing(sizes: Mapping[Path, int], overwrite: bool,
               former: Callable[[], Iterable[Path]] = tuple) -> Iterator[list[IO[bytes]]]:
    """Files of one folder to be written, opened; they get their names when the block ends without an error, all or none.

    Parameters
    ----------
    sizes : mapping of Path to int
        Where, and how many bytes at the most, which are allocated. The last one tells of the others: there is none under its
        name while theirs change.
    overwrite : bool
        Whether files of these names, and those of `former`, are replaced; otherwise, to the last moment, a FileExistsError.
    former : function
        Gives the names of the files that may be there and which these stand for, whatever they are called, the one that tells
        of the others first.

    Raises
    ------
    ValueError
        What would be replaced is no regular file: a folder, a device, a symbolic link.
    OSError
        Of the file system. There was too little room: both sizes are told.
    """
    targets = [path.absolute() for path in sizes]
    folder = targets[0].parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"{folder} is not a directory", str(targets[-1]))
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"{folder} is not a directory that can be read and written to", str(targets[-1]))
    _replaced(targets, overwrite, former)
    drafts: list[Draft] = []
    try:
        with _alone(folder):
            _remove_left(folder)
        for target in targets:
            drafts.append(_draft(target))
        _allocate(drafts, list(sizes.values()))
        yield [draft.file for draft in drafts]
        for draft in drafts:
            draft.file.truncate()  # at its end: what was allocated may be more
            draft.file.flush()
            os.fsync(draft.file.fileno())
            if fcntl is None:  # Windows does not rename an open file
                draft.file.close()
        with _alone(folder) as journal:
            _name_all(drafts, _replaced(targets, overwrite, former), overwrite, journal)
    except OSError as error:
        if error.errno in NO_ROOM and not error.filename:
            raise _no_room(error.errno, list(sizes.values()), targets) from error
        raise
    finally:
        for draft in drafts:
            with contextlib.suppress(OSError):  # what a full disk did not take, again
                draft.file.close()
            draft.path.unlink(missing_ok=True)


def _replaced(targets: Sequence[Path], overwrite: bool, former: Callable[[], Iterable[Path]]) -> list[Path]:
    """The files that are there and will be replaced, each a regular one."""
    found = []
    for path in dict.fromkeys([*(path.absolute() for path in former()), *targets]):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if not overwrite:
            raise _exists(path)
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a symbolic link" if stat.S_ISLNK(mode) else "a special file"
            raise ValueError(f"{path}: expected a free name, or a regular file to replace, got {kind}")
        found.append(path)
    return found


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "the file exists, and overwrite=True was not said", str(path))


def _lock(fd: int, wait: bool = True) -> bool:
    """Whether the file is now held. Not if another process holds it, nor where there are no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _is_at(fd: int, path: Path) -> bool:
    """Whether this open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False


def _open(path: Path, flags: int) -> int:
    """The open file of this name, held: none that was removed before it was held."""
    while True:
        fd = os.open(path, flags | os.O_RDWR | os.O_CREAT | NO_FOLLOWING | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _lock(fd)
            if _is_at(fd, path):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _draft(target: Path) -> Draft:
    """A new file beside the target, which only its owner reads until it has its name."""
    path = target.with_name(_new_name())
    fd = _open(path, os.O_EXCL)
    draft = Draft(target, path, open(fd, "wb"), stat.S_IMODE(path.lstat().st_mode))
    if fcntl:
        try:
            os.fchmod(fd, 0o600)
        except BaseException:
            draft.file.close()
            path.unlink(missing_ok=True)
            raise
    return draft


def _allocate(drafts: Sequence[Draft], sizes: Sequence[int]) -> None:
    """Refuse what the folder has no room for, before the first byte: all, as far as the system tells, then each."""
    usage = shutil.disk_usage(drafts[0].target.parent)
    if 0 < usage.total and usage.free < sum(sizes):  # a system without a limit has no total
        raise OSError(errno.ENOSPC, "")
    for draft, size in zip(drafts, sizes):
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(draft.file.fileno(), 0, max(size, 1))
            except OverflowError:
                raise OSError(errno.EFBIG, "") from None
            except OSError as error:  # some file systems cannot allocate: there the write is refused, not the call
                if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                    raise
        elif (limit := _limit()) is not None and size > limit:
            raise OSError(errno.EFBIG, "")


def _limit() -> int | None:
    """The most bytes that a file of this process may have."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _no_room(code: int, sizes: Sequence[int], targets: Sequence[Path]) -> OSError:
    if code == errno.EFBIG:
        size, path = max(zip(sizes, targets))
        limit = _limit()
        most = "the file system takes" if limit is None else f"this process may write, {limit} bytes,"
        return OSError(code, f"{size} bytes are needed, more than {most} in one file", str(path))
    free = shutil.disk_usage(targets[0].parent).free
    return OSError(code, f"{sum(sizes)} bytes are needed, {free} bytes are free", str(targets[-1]))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int | None]:
    """No other run of this user names files in the folder meanwhile. Gives the open journal, which is empty: what a run that
    was stopped left in it is settled."""
    if fcntl is None:
        yield None
        return
    path = folder / f"{_mark()}.lock"
    fd = _open(path, 0)
    try:
        if (left := _read_journal(fd)) is not None:
            _settle(folder, left)
        os.ftruncate(fd, 0)
        yield fd
    finally:
        try:
            if os.fstat(fd).st_size == 0:  # what is not settled, the next run settles
                path.unlink()
        finally:
            os.close(fd)


def _read_journal(fd: int) -> Journal | None:
    """What a run that was stopped had begun. A journal that came from elsewhere, in an archive perhaps, names no inodes of this
    folder, and so moves nothing."""
    state = os.fstat(fd)
    try:
        if state.st_uid != os.geteuid():
            return None
        new, old = json.loads(os.pread(fd, min(state.st_size, MAX_JOURNAL), 0))
        found = Journal([(int(inode), _plain(name)) for inode, name in new],
                        [(int(inode), _plain(name), _plain(aside)) for inode, name, aside in old])
        return found if found.new else None
    except (ValueError, TypeError, RecursionError):  # cut off: then nothing had changed yet
        return None


def _plain(name: str) -> str:
    if name != os.path.basename(name) or name in ("", ".", ".."):
        raise ValueError(name)
    return name


def _remove_left(folder: Path) -> None:
    """Remove the drafts that nobody holds."""
    ours = re.compile(re.escape(_mark()) + "-[0-9a-f]{16}").fullmatch
    for entry in [entry for entry in os.scandir(folder) if ours(entry.name) and entry.is_file(follow_symlinks=False)]:
        with contextlib.suppress(OSError):
            flags = os.O_RDWR if os.access(entry.path, os.W_OK) else os.O_RDONLY  # NFS locks what is open for writing
            fd = os.open(entry.path, flags | NO_FOLLOWING)
            try:
                if _lock(fd, wait=False):
                    os.unlink(entry.path)
            finally:
                os.close(fd)


def _keep(draft: Draft, like: Path | None) -> None:
    """Mode, owner and access list of the file that is replaced, or the mode of any new file."""
    if fcntl is None:
        return
    fd = draft.file.fileno()
    if like is None:
        os.fchmod(fd, draft.mode)
        return
    old = like.lstat()
    mode = stat.S_IMODE(old.st_mode) & 0o777
    for owner in (old.st_uid, -1):
        try:
            os.fchown(fd, owner, old.st_gid)
            break
        except PermissionError:
            continue
    else:  # what the old group was allowed is not for another
        mode &= ~stat.S_IRWXG
    os.fchmod(fd, mode)
    if hasattr(os, "getxattr"):
        with contextlib.suppress(OSError):  # most files have none
            os.setxattr(fd, ACCESS_LIST, os.getxattr(like, ACCESS_LIST))


def _name_all(drafts: Sequence[Draft], old: Sequence[Path], overwrite: bool,
              journal: int | None) -> None:
    """Give the drafts their names. One file takes its place in one step. Several cannot: their names are cleared before, and
    nobody finds the file that tells of them until all are there."""
    folder, last = drafts[-1].target.parent, drafts[-1]
    for draft in drafts:
        _keep(draft, draft.target if draft.target in old else old[0] if old else None)
    if len(drafts) == 1 and set(old) <= {last.target}:
        _name(last, overwrite)
        _sync(folder)
        return
    changes = Journal([(os.stat(draft.path).st_ino, draft.target.name) for draft in drafts],
                      [(path.lstat().st_ino, path.name, _new_name()) for path in old])
    if journal is not None:
        os.pwrite(journal, json.dumps(changes).encode(), 0)
        os.fsync(journal)
    try:
        _sync(folder)
        for _, name, aside in changes.old:
            os.rename(folder / name, folder / aside)
        _sync(folder)
        for draft in drafts[:-1]:
            _name(draft, overwrite)
        _sync(folder)
        _name(last, overwrite)
        _sync(folder)
    finally:
        _settle(folder, changes)
        if journal is not None:
            os.ftruncate(journal, 0)


def _name(draft: Draft, overwrite: bool) -> None:
    if overwrite:
        os.replace(draft.path, draft.target)
        return
    try:
        os.link(draft.path, draft.target)
    except FileExistsError:
        raise _exists(draft.target) from None
    except OSError:  # a file system without links: the name is claimed, then replaced
        try:
            os.close(os.open(draft.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise _exists(draft.target) from None
        os.replace(draft.path, draft.target)


def _settle(folder: Path, changes: Journal) -> None:
    """All is new if the last file has its name, else all is as it was."""
    if not _has(folder, *changes.new[-1]):
        for inode, name in changes.new:
            if _has(folder, inode, name):
                os.unlink(folder / name)
        for inode, name, aside in reversed(changes.old):
            if _has(folder, inode, aside):
                os.replace(folder / aside, folder / name)
        _sync(folder)
    for inode, _, aside in changes.old:
        if _has(folder, inode, aside):
            os.unlink(folder / aside)


def _has(folder: Path, inode: int, name: str) -> bool:
    try:
        return (folder / name).lstat().st_ino == inode
    except FileNotFoundError:
        return False


def _sync(folder: Path) -> None:
    """Bring the names to the disk."""
    if fcntl is None:  # Windows opens no folders
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that does this by itself
            raise
    finally:
        os.close(fd)
