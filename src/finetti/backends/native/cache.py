"""Machine code on disk, from one process to the next.

    cache = object_cache()                      # None if switched off
    key = object_key(ir_text, entry, ...)       # everything that the code depends on
    object_bytes = cache.load(key)              # None if absent, damaged or not to be trusted
    cache.store(key, object_bytes)

One file per object, below the user's cache directory or ``FINETTI_CACHE_DIR``; ``FINETTI_CACHE=0``
switches it off. Nothing here raises: a cache that cannot be read or written is an empty one, and
says so once as a debug message of the logger "finetti".

The files are code that will be executed. So they are read only if they and their directory belong
to the user and nobody else may write there, and only if the checksum over key and object is right.
Writers write a file of their own and rename it: readers see a whole object or none.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
import sys
import time

__all__ = ["ObjectCache", "object_cache", "object_key"]

FORMAT = "finetti object 1"
LIMIT = 256 << 20

_MAGIC = FORMAT.encode() + b"\n"
_HEADER = len(_MAGIC) + hashlib.sha256().digest_size
_OFF = frozenset(("0", "off", "no", "false"))
_ENTRY = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".new-"
_HOUR = 3600.0
_BLOCK = 4096  # what the smallest file takes of a disk
_LOOKS_PER_LIMIT = 64  # how often the size is looked at while the limit is written once

_noted: set[str] = set()


def object_key(*parts: str) -> str:
    """The name of an object: a digest of everything it depends on."""
    digest = hashlib.sha256(FORMAT.encode())
    for part in parts:
        content = part.encode()
        digest.update(b"\0%d\0" % len(content))  # no two lists of parts run into the same bytes
        digest.update(content)
    return digest.hexdigest()


def object_cache() -> ObjectCache | None:
    """The cache that the environment asks for now."""
    if os.environ.get("FINETTI_CACHE", "").strip().lower() in _OFF:
        return None
    directory = _user_directory()
    return ObjectCache(os.path.join(directory, "objects")) if directory else None


def _user_directory() -> str:
    """Where finetti may keep what it can make again; empty if the user has no such place."""
    chosen = os.environ.get("FINETTI_CACHE_DIR", "")
    if chosen:
        return os.path.abspath(os.path.expanduser(chosen))
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        if not os.path.isabs(base):  # the standard says to ignore a relative one
            base = os.path.expanduser("~/.cache")
    return os.path.join(base, "finetti") if os.path.isabs(base) else ""


class ObjectCache:
    """Objects in a directory.

    Parameters
    ----------
    directory : str
        Where they are; made when the first one is stored.
    limit : int
        Bytes that they may take. The least recently used go first, a quarter of the limit at once.
    """

    def __init__(self, directory: str, limit: int = LIMIT):
        self.directory = directory
        self.limit = limit

    def load(self, key: str) -> bytes | None:
        """The object stored under a key, or None."""
        path = os.path.join(self.directory, key)
        try:
            _check_trust(os.stat(self.directory), self.directory)
            with open(path, "rb", opener=_open_own) as file:
                status = os.fstat(file.fileno())
                _check_trust(status, path)
                content = file.read()
            if time.time() - status.st_mtime > _HOUR:  # exact to the hour is enough to order by use
                _touch(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            _note("read", error)
            return None
        object_bytes = content[_HEADER:]
        if content[:_HEADER] != _header(key, object_bytes):
            _note("read", ValueError(f"{path} is damaged"))
            return None
        return object_bytes

    def store(self, key: str, object_bytes: bytes) -> None:
        """Keep an object under a key, in place of what may be there."""
        path = os.path.join(self.directory, key)
        temporary = os.path.join(self.directory, _TEMPORARY + os.urandom(12).hex())
        size = _on_disk(_HEADER + len(object_bytes))
        if size > self.limit // 4:  # one object is not worth all the others
            return
        try:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            _check_trust(os.stat(self.directory), self.directory)
            try:
                with open(temporary, "xb", opener=_create_own) as file:
                    file.write(_header(key, object_bytes))
                    file.write(object_bytes)
                os.replace(temporary, path)
            except OSError:
                _remove(temporary)
                raise
            if self._is_due(key, size):
                self._evict()
        except OSError as error:
            _note("written", error)

    def _is_due(self, key: str, size: int) -> bool:
        """Whether to look at the total: on average once in a 64th of the limit written.

        Keys are digests, so they serve as random numbers; no state has to be shared or kept.
        """
        return int(key[:8], 16) * self.limit < size * _LOOKS_PER_LIMIT << 32

    def _evict(self) -> None:
        """Remove the least recently used, if all together are too large, and forgotten files."""
        files: list[tuple[float, int, str]] = []
        total, now = 0, time.time()
        with os.scandir(self.directory) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # another process evicts as well
                    continue
                if entry.name.startswith(_TEMPORARY):
                    if now - status.st_mtime > _HOUR:  # its writer was killed
                        _remove(entry.path)
                elif _ENTRY.fullmatch(entry.name):
                    size = _on_disk(status.st_size)
                    files.append((status.st_mtime, size, entry.path))
                    total += size
        if total <= self.limit:
            return
        for _, size, path in sorted(files):
            _remove(path)
            total -= size
            if total <= self.limit - self.limit // 4:
                break


def _header(key: str, object_bytes: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(key.encode() + object_bytes).digest()


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _open_own(path: str, flags: int) -> int:
    # a link could lead to a file of the user's that someone else chose
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _create_own(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _check_trust(status: os.stat_result, path: str) -> None:
    """Refuse what somebody else owns or may write to (where the system knows owners)."""
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"others may write to {path}: chmod go-w would let finetti use it")


def _touch(path: str) -> None:
    try:
        os.utime(path)
    except OSError:  # a cache on a read-only disk
        pass


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _note(what: str, error: Exception) -> None:
    """Tell once why there is no cache."""
    if what in _noted:
        return
    _noted.add(what)
    logging.getLogger("finetti").debug("object cache cannot be %s: %s", what, error)
