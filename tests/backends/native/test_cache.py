"""Machine code on disk: the same results with it, without it, and whatever happens to the files."""

from __future__ import annotations

import ctypes
import logging
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from finetti.backends.native import cache as cache_module
from finetti.backends.native import elf, link
from finetti.backends.native import target as target_module
from finetti.backends.native.cache import ObjectCache, object_cache, object_key
from finetti.backends.native.link import compile_ir
from finetti.backends.native.target import HostTarget, Target, host_target, llvm, llvm_identity
from finetti.errors import CompileError

SCALAR = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
KEY = object_key("some text")
OTHER = object_key("other text")
HOUR = 3600.0

MODEL = """
import hashlib
import sys
import numpy as np
import finetti as pm
x = np.linspace(-1, 1, 20)
with pm.Model() as model:
    a = pm.Normal("a", 0, 1)
    s = pm.HalfNormal("s", 1)
    k = pm.Gamma("k", 2, 1)
    pm.Normal("y", a * x, s, observed=np.sin(x))
    pm.Poisson("z", k, observed=[1, 2, 3])
    pm.Deterministic("total", a + s)
    data = pm.sample(50, tune=50, chains=2, random_seed=1, progressbar=False)
draws = b"".join(data.posterior[name].values.tobytes() for name in ("a", "s", "k", "total"))
print(hashlib.sha256(draws).hexdigest())
print("llvmlite" in sys.modules)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test only, empty."""
    monkeypatch.setenv("FINETTI_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("FINETTI_CACHE", raising=False)
    return tmp_path / "objects"


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged, with nothing said before."""
    cache_module._noted.clear()
    with caplog.at_level(logging.DEBUG, "finetti"):
        yield caplog
    cache_module._noted.clear()


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that code was generated for."""
    texts: list[str] = []
    emit = link._emit_object

    def record(text: str, target: Target) -> tuple[bytes, dict[str, float]]:
        texts.append(text)
        return emit(text, target)

    monkeypatch.setattr(link, "_emit_object", record)
    return texts


def text(addend: float = 1.0, callee: str = "finetti_digamma") -> str:
    return (
        f"declare double @{callee}(double)\ndefine double @f(double %x) {{\n"
        f"  %y = call double @{callee}(double %x)\n  %z = fadd double %y, {addend:e}\n"
        "  ret double %z\n}\n"
    )


def value(addend: float = 1.0) -> float:
    linked = compile_ir(text(addend), "f")
    return SCALAR(linked.address)(2.5)


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def run(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# -- through the compiler ------------------------------------------------------------------------


def test_what_was_compiled_is_not_compiled_again(folder: Path, generated: list[str]) -> None:
    cold = compile_ir(text(), "f")
    hot = compile_ir(text(), "f")
    assert len(generated) == 1
    assert hot.object_bytes == cold.object_bytes
    assert SCALAR(hot.address)(2.5) == SCALAR(cold.address)(2.5)
    assert set(cold.milliseconds) == {"cache", "parse", "codegen", "link"}
    assert set(hot.milliseconds) == {"cache", "link"}


def test_it_can_be_switched_off(
    folder: Path, generated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = value()
    for word in ("0", "off", "False"):
        monkeypatch.setenv("FINETTI_CACHE", word)
        assert object_cache() is None
        assert value() == expected
    assert len(generated) == 4
    assert len(files(folder)) == 1


def test_what_the_code_depends_on_is_in_the_key(folder: Path, generated: list[str]) -> None:
    both = text() + text().split("\n", 1)[1].replace("@f(", "@g(")
    plain = Target("x86-64-v3", "+avx2,+fma") if elf.supported() else host_target()
    compile_ir(both, "f")
    compile_ir(both, "g")
    compile_ir(both, "f", target=host_target(without=("avx512",)))
    compile_ir(both, "f", target=plain)
    compile_ir(both + "\n", "f")
    assert len(generated) == len(files(folder)) == 5


def test_another_llvmlite_does_not_share(
    folder: Path, generated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value()
    monkeypatch.setattr(link, "llvm_identity", lambda: "llvmlite 99.0 1")
    value()
    assert len(generated) == 2


def test_another_processor_does_not_share(
    folder: Path, generated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value()
    monkeypatch.setattr(target_module, "_processor", lambda: "a narrower one")
    value()
    assert len(generated) == 2


def test_addresses_are_not_in_the_object(folder: Path, generated: list[str]) -> None:
    for factor in (2.0, 3.0):
        double = SCALAR(lambda x, factor=factor: factor * x)
        address = ctypes.cast(double, ctypes.c_void_p).value
        linked = compile_ir(text(1.0, "mine"), "f", symbols={"mine": address})
        assert SCALAR(linked.address)(4.0) == factor * 4.0 + 1.0
    assert len(generated) == 1


def test_errors_are_the_same_hot_and_cold(folder: Path) -> None:
    for _ in range(2):
        with pytest.raises(CompileError, match="calls mine, which is neither"):
            compile_ir(text(1.0, "mine"), "f")
    assert files(folder) == []
    double = SCALAR(lambda x: 2 * x)
    address = ctypes.cast(double, ctypes.c_void_p).value
    assert compile_ir(text(1.0, "mine"), "f", symbols={"mine": address}).address
    with pytest.raises(CompileError, match="calls mine, which is neither"):
        compile_ir(text(1.0, "mine"), "f")


def test_an_object_that_cannot_be_linked_is_replaced(folder: Path, generated: list[str]) -> None:
    expected = value()
    (path,) = files(folder)
    object_cache().store(path.name, b"whole, but no object")  # type: ignore[union-attr]
    assert value() == expected
    assert value() == expected
    assert len(generated) == 2


@pytest.mark.skipif(not elf.supported(), reason="no loader for this system")
def test_a_model_has_the_same_bits_off_cold_and_hot_and_hot_needs_no_llvm(tmp_path: Path) -> None:
    directory = str(tmp_path)
    off = run(MODEL, FINETTI_CACHE="0", FINETTI_CACHE_DIR=directory)
    assert files(tmp_path) == []
    cold = run(MODEL, FINETTI_CACHE_DIR=directory, PYTHONHASHSEED="1")
    hot = run(MODEL, FINETTI_CACHE_DIR=directory, PYTHONHASHSEED="2")
    assert off == cold == [off[0], "True"]
    assert hot == [off[0], "False"]


def test_processes_that_write_at_once(folder: Path) -> None:
    code = (
        "import ctypes, sys\n"
        "from finetti.backends.native.link import compile_ir\n"
        "kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)\n"
        "for i in [*range(12)] * 2:\n"
        "    linked = compile_ir(sys.argv[1].replace('1.0', f'{i}.0'), 'f')\n"
        "    assert kind(linked.address)(0.0) == 1 + i\n"
    )
    arguments = [sys.executable, "-c", code, text(1.0, "exp").replace("1.000000e+00", "1.0")]
    started = [subprocess.Popen(arguments, stderr=subprocess.PIPE) for _ in range(4)]
    for process in started:
        assert process.communicate(timeout=120)[1].decode() == ""
        assert process.returncode == 0
    assert len(files(folder)) == 12  # no temporary file is left
    cache = object_cache()
    assert all(cache and cache.load(path.name) for path in files(folder))


# -- files -----------------------------------------------------------------------------------------


def test_store_and_load(folder: Path) -> None:
    cache = ObjectCache(str(folder))
    assert cache.load(KEY) is None
    for content in (b"code", b"", bytes(range(256)) * 100):
        cache.store(KEY, content)
        assert cache.load(KEY) == content
    assert cache.load(OTHER) is None


def test_every_damage_is_noticed(folder: Path, messages: pytest.LogCaptureFixture) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"some machine code")
    path = folder / KEY
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert cache.load(KEY) is None
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert cache.load(KEY) is None
    path.write_bytes(whole + b"\0")
    assert cache.load(KEY) is None
    assert [record.levelname for record in messages.records] == ["DEBUG"]
    path.write_bytes(whole)
    assert cache.load(KEY) == b"some machine code"


def test_a_damaged_entry_is_replaced(folder: Path, generated: list[str]) -> None:
    expected = value()
    (path,) = files(folder)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-20], whole[:200] + bytes([whole[200] ^ 255]) + whole[201:]):
        path.write_bytes(damaged)
        assert value() == expected
        assert path.read_bytes() == whole
    assert len(generated) == 4


def test_an_entry_under_another_name_is_refused(folder: Path) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"code")
    os.replace(folder / KEY, folder / OTHER)
    assert cache.load(OTHER) is None


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
def test_only_the_user_may_read_and_write(folder: Path) -> None:
    before = os.umask(0)
    try:
        ObjectCache(str(folder)).store(KEY, b"code")
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
@pytest.mark.parametrize("name", ["", KEY])
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_what_others_may_write_is_not_executed(
    folder: Path, name: str, mode: int, messages: pytest.LogCaptureFixture
) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"code")
    (folder / name).chmod(mode)
    assert cache.load(KEY) is None
    assert "others may write to" in messages.text
    if not name:
        cache.store(OTHER, b"code")
        assert not (folder / OTHER).exists()


@pytest.mark.skipif(os.name == "nt", reason="no such owners")
def test_what_another_user_owns_is_not_executed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, messages: pytest.LogCaptureFixture
) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"code")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.load(KEY) is None
    cache.store(OTHER, b"code")
    assert "belongs to another user" in messages.text
    monkeypatch.undo()
    assert cache.load(KEY) == b"code"
    assert not (folder / OTHER).exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_user_is_not_executed(folder: Path) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"code")
    os.chown(folder / KEY, 12345, -1)
    assert cache.load(KEY) is None
    os.chown(folder, 12345, -1)
    cache.store(OTHER, b"code")
    assert not (folder / OTHER).exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"code")
    os.replace(folder / KEY, tmp_path / "elsewhere")
    (folder / KEY).symlink_to(tmp_path / "elsewhere")
    assert cache.load(KEY) is None
    cache.store(KEY, b"code")  # in place of the link
    assert cache.load(KEY) == b"code"
    assert not (folder / KEY).is_symlink()


def refuse_to_write(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """Make opening files for writing fail, as for a user who is not root."""
    opened = os.open

    def refuse(path: str, flags: int, *rest: int, **names: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise error
        return opened(path, flags, *rest, **names)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("number", [13, 28, 30], ids=["denied", "full", "read-only"])
def test_a_disk_that_takes_nothing(
    folder: Path,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    messages: pytest.LogCaptureFixture,
) -> None:
    ObjectCache(str(folder)).store(KEY, b"code")
    refuse_to_write(monkeypatch, OSError(number, os.strerror(number)))
    assert value(1.0) == value(1.0)
    assert value(2.0) == value(1.0) + 1.0
    assert [record.levelname for record in messages.records] == ["DEBUG"]
    assert files(folder) == [folder / KEY]
    assert ObjectCache(str(folder)).load(KEY) == b"code"  # what is there serves


def test_a_disk_that_fills_while_writing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    value()
    assert files(folder) == []


def test_a_place_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, messages: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("FINETTI_CACHE_DIR", str(tmp_path / "file"))
    assert value() == value()
    assert {record.levelname for record in messages.records} == {"DEBUG"}
    assert len(messages.records) <= 2


def test_a_use_is_remembered(folder: Path) -> None:
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"code")
    now = time.time()
    os.utime(folder / KEY, (now - 2 * HOUR, now - 2 * HOUR))
    cache.load(KEY)
    assert (folder / KEY).stat().st_mtime > now - HOUR


# -- eviction --------------------------------------------------------------------------------------


def fill(folder: Path, count: int, size: int) -> list[str]:
    """Objects written by hand, the first used longest ago."""
    keys = [object_key(str(i)) for i in range(count)]
    cache = ObjectCache(str(folder))
    cache.store(KEY, b"newest")
    for i, key in enumerate(keys):
        cache.store(key, bytes(size))
        when = time.time() - HOUR * (2 + count - i)
        os.utime(folder / key, (when, when))
    return keys


def test_the_least_recently_used_go_first(folder: Path) -> None:
    keys = fill(folder, 20, 8000)  # two blocks each
    limited = ObjectCache(str(folder), limit=2 * 4096 * 16)
    assert limited.load(keys[0]) is not None  # used: no longer the oldest
    limited.store(OTHER, bytes(8000))
    left = {path.name for path in files(folder)}
    assert {KEY, OTHER, keys[0], keys[-1]} <= left
    assert not left & set(keys[1:9])
    assert sum(path.stat().st_size for path in files(folder)) <= limited.limit * 3 // 4


def test_below_the_limit_nothing_goes(folder: Path) -> None:
    fill(folder, 10, 100)
    ObjectCache(str(folder), limit=4096 * 12).store(OTHER, b"code")
    assert len(files(folder)) == 12


def test_an_object_too_large_is_not_kept(folder: Path) -> None:
    cache = ObjectCache(str(folder), limit=10_000)
    cache.store(KEY, bytes(5000))
    assert cache.load(KEY) is None


def test_what_killed_writers_left_goes_too_and_nothing_else(folder: Path) -> None:
    fill(folder, 4, 100)
    for name, age in ((".new-old", 2 * HOUR), (".new-fresh", 0.0), ("notes.txt", 9 * HOUR)):
        (folder / name).write_bytes(bytes(9000))
        os.utime(folder / name, (time.time() - age, time.time() - age))
    ObjectCache(str(folder), limit=16384).store(OTHER, b"code")
    names = {path.name for path in files(folder)}
    assert ".new-old" not in names
    assert {".new-fresh", "notes.txt", OTHER} <= names


def test_the_size_is_looked_at_rarely(folder: Path) -> None:
    cache = ObjectCache(str(folder))
    size = 20_480
    looks = sum(cache._is_due(object_key(str(i)), size) for i in range(20_000))
    expected = 20_000 * size * 64 / cache.limit
    assert abs(looks - expected) < 5 * expected**0.5
    assert cache._is_due("f" * 64, cache.limit)


# -- where, and for which processor ----------------------------------------------------------------


def test_the_user_s_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FINETTI_CACHE_DIR")
    for chosen, expected in (("", ".cache"), ("relative", ".cache"), (tmp_path / "x", "x")):
        monkeypatch.setenv("XDG_CACHE_HOME", str(chosen))
        cache = object_cache()
        assert cache and Path(cache.directory) == tmp_path / expected / "finetti" / "objects"


def test_no_home_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    for name in ("FINETTI_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert object_cache() is None


def test_keys_of_different_parts_differ() -> None:
    assert object_key("ab", "c") != object_key("a", "bc")
    assert object_key("a") != object_key("a", "")


@pytest.mark.parametrize("without", [(), ("fma",), ("avx512",), ("avx", "fma")])
def test_fused_multiply_add_is_known_without_llvm(without: tuple[str, ...]) -> None:
    target = host_target(without=without)
    assert target.has_fma == Target(target.cpu, target.features).has_fma
    assert host_target(without=without) is target


@pytest.mark.skipif(not elf.supported(), reason="needs LLVM elsewhere")
def test_the_processor_is_known_without_llvm() -> None:
    code = (
        "import os, sys\n"
        "from finetti.backends.native import target\n"
        "os.sched_setaffinity(0, {CORE})\n"
        "host = target.host_target()\n"
        "print(host.identity.replace(' ', ''), target.llvm_identity().replace(' ', ''))\n"
        "print(host.has_fma, 'llvmlite' in sys.modules)\n"
    )
    host = host_target()
    expected = [host.identity, llvm_identity(), str(host.has_fma), "False"]
    for core in sorted(os.sched_getaffinity(0))[:4]:  # all cores say the same
        assert run(code.replace("CORE", str(core))) == [x.replace(" ", "") for x in expected]


def test_a_host_target_has_what_llvm_says() -> None:
    target = HostTarget()
    assert target.cpu == llvm().get_host_cpu_name()
    assert target.features == llvm().get_host_cpu_features().flatten()
    assert target == HostTarget()
    assert target.identity != HostTarget(("avx512",)).identity


def test_the_version_is_read_off_the_files() -> None:
    import llvmlite

    assert llvm_identity().startswith(f"llvmlite {llvmlite.__version__} ")


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("version_version = '0.50.0'\nversion_full = 'de6d'\n", "0.50.0"),
        ('version_json = """\n{\n "dirty": false,\n "version": "0.52.0rc1"\n}\n"""', "0.52.0rc1"),
        ("def get_versions():\n    return run_git('describe')\n", ""),
    ],
)
def test_forms_of_the_version(tmp_path: Path, written: str, version: str) -> None:
    path = tmp_path / "_version.py"
    path.write_text(written)
    assert target_module._written_version(str(path)) == version
    assert target_module._written_version(str(tmp_path / "absent")) == ""
