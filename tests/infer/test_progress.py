"""Progress: what a snapshot looks like, and when and where it is shown."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from finetti.errors import NotYetSupported, ParameterError
from finetti.infer import progress
from finetti.infer.progress import Style


@dataclass
class Snapshot:
    chain: int = 0
    finished_draws: int = 500
    total_draws: int = 2000
    tuning: bool = True
    started: bool = True
    divergences: int = 0
    latest_num_steps: int = 7
    total_num_steps: int = 3500
    step_size: float = 0.56789
    runtime_seconds: float = 10.0
    done: bool = False


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def chains(share: float = 0.25, count: int = 4, **fields) -> list[Snapshot]:
    finished = int(2000 * share)
    return [
        Snapshot(chain, finished, tuning=share < 0.5, done=share >= 1, **fields)
        for chain in range(count)
    ]


def test_table_has_pymcs_columns_and_one_line_a_chain():
    lines = progress.table_lines(chains(), Style(), width=120)
    assert " ".join(lines[0].split()) == (
        "Chain Progress Draws Divergences Step size Grad evals Speed Elapsed Remaining"
    )
    assert len(lines) == 5
    assert re.search(
        r"0  #{6}\.{18}  +500 tune +0 +0.568 +7 +50 draws/s +0:00:10 +0:00:30", lines[1]
    )


def test_combined_and_without_stats():
    combined = progress.table_lines(chains(), Style(per_chain=False), width=120)
    assert len(combined) == 2
    assert "2000 tune" in combined[1]
    assert "200 draws/s" in combined[1]
    plain = progress.table_lines(chains(), Style(per_chain=True, stats=False), width=120)
    assert "Divergences" not in plain[0]
    assert len(plain) == 5


@pytest.mark.parametrize("width", [20, 40, 60, 79, 100, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_no_line_is_wider_than_the_terminal(width, colour):
    lines = progress.table_lines(chains(divergences=12), Style(), width, colour)
    bare = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    assert max(map(len, bare)) <= width
    assert len({len(line) for line in bare}) == 1


def test_colour_shows_divergences():
    assert "\x1b[31m" in progress.table_lines(chains(divergences=1), Style(), colour=True)[1]
    assert "\x1b[31m" not in progress.table_lines(chains(), Style(), colour=True)[1]


def test_numbers_before_the_first_draw_and_after_the_last():
    start = [Snapshot(finished_draws=0, runtime_seconds=0.0, step_size=float("nan"))]
    assert " - " in progress.table_lines(start, Style())[1]
    end = progress.table_lines(chains(1.0), Style())[1]
    assert "####" in end
    assert "tune" not in end
    assert end.rstrip().endswith("0:00:00")
    assert progress.table_lines([], Style())[0].startswith("Chain")
    assert progress.log_line([], Style()) == "Sampling: no chain has started"


def test_speed_and_clock():
    assert progress.speed_text(0) == "-"
    assert progress.speed_text(0.25) == "4.0 s/draw"
    assert progress.speed_text(3.14) == "3.1 draws/s"
    assert progress.speed_text(12345.6) == "12,346 draws/s"
    assert progress.clock_text(3725.9) == "1:02:05"


def test_log_line():
    line = progress.log_line(chains(divergences=2), Style())
    assert line == (
        "Sampling  25%, 2000/8000 draws (tuning), 0/4 chains done, 8 divergences, step size 0.568, "
        "200 draws/s, elapsed 0:00:10, remaining 0:00:30"
    )
    assert "divergences" not in progress.log_line(chains(), Style(stats=False))


def test_html_table():
    text = progress.html_table(chains(divergences=1), Style())
    assert text.count("<tr>") == 5
    assert "<progress max='1' value='0.2500'" in text
    assert "<script" not in text


def run(bar, clock, steps=20, seconds=4.0):
    for step in range(steps + 1):
        clock.now = 100.0 + seconds * step / steps
        bar.update(chains(step / steps))
    bar.finish(chains(1.0))


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_short_runs_say_nothing(stream):
    clock, out = Clock(), stream()
    run(progress.make_progress(True, stream=out, clock=clock), clock, seconds=0.4)
    assert out.getvalue() == ""


def test_terminal_table_is_drawn_over_itself(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("LINES", "40")
    clock, out = Clock(), Terminal()
    run(progress.make_progress(True, stream=out, clock=clock), clock)
    text = out.getvalue()
    draws = text.split("\x1b[5F")
    assert len(draws) > 5
    assert all(part.count("\n") == 5 for part in draws)
    assert "2000" in draws[-1]


def test_many_chains_do_not_scroll_the_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("LINES", "24")
    clock, out = Clock(), Terminal()
    bar = progress.make_progress(True, stream=out, clock=clock)
    clock.now += 1
    bar.update(chains(0.5, count=64))
    assert out.getvalue().count("\n") == 2


def test_no_color(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    clock, out = Clock(), Terminal()
    run(progress.make_progress(True, stream=out, clock=clock), clock)
    assert "\x1b[3" not in out.getvalue()
    assert "━" not in out.getvalue()


def test_files_get_plain_lines_each_tenth():
    clock, out = Clock(), io.StringIO()
    run(progress.make_progress(True, stream=out, clock=clock), clock, steps=100, seconds=30.0)
    lines = out.getvalue().splitlines()
    assert 9 <= len(lines) <= 11
    assert "\x1b" not in out.getvalue()
    assert lines[-1].startswith("Sampling 100%, 8000/8000 draws (drawing), 4/4 chains done")


def test_files_get_few_lines_of_a_short_run():
    clock, out = Clock(), io.StringIO()
    run(progress.make_progress(True, stream=out, clock=clock), clock, steps=100, seconds=1.5)
    assert out.getvalue() == ""
    run(progress.make_progress(True, stream=out, clock=clock), clock, steps=100, seconds=5.0)
    assert len(out.getvalue().splitlines()) <= 3


def test_files_get_a_line_each_ten_seconds_of_a_slow_run():
    clock, out = Clock(), io.StringIO()
    bar = progress.make_progress("combined", stream=out, clock=clock)
    for second in range(61):
        clock.now = 100.0 + second
        bar.update(chains(0.01, runtime_seconds=float(second)))
    assert len(out.getvalue().splitlines()) == 6


def test_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress.make_progress(True, stream=Terminal()), progress.LogProgress)


def test_switched_off():
    clock, out = Clock(), Terminal()
    run(progress.make_progress(False, stream=out, clock=clock), clock)
    assert out.getvalue() == ""


def test_notebook_only_where_ipython_runs_a_kernel(monkeypatch):
    shown = []

    def display(content, raw, display_id):
        assert (raw, display_id) == (True, True)
        shown.append(content)
        return SimpleNamespace(update=lambda content, raw: shown.append(content))

    shell = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    clock = Clock()
    bar = progress.make_progress(True, clock=clock)
    assert isinstance(bar, progress.NotebookProgress)
    run(bar, clock)
    assert len(shown) > 3
    assert "<table>" in shown[-1]["text/html"]
    shell.kernel = None
    assert not isinstance(progress.make_progress(True, clock=clock), progress.NotebookProgress)


@pytest.mark.parametrize(
    ("asked", "style"),
    [
        (True, Style(True, True)),
        (False, None),
        ("split", Style(True, False)),
        ("combined", Style(False, False)),
        ("split+stats", Style(True, True)),
        ("combined+stats", Style(False, True)),
        ("stats+combined", Style(False, True)),
    ],
)
def test_keyword(asked, style):
    assert progress.parse_style(asked) == style


def test_bad_keywords_are_refused_by_name():
    with pytest.raises(ParameterError, match=r"progressbar='splt'.*Did you mean 'split'"):
        progress.make_progress("splt")
    with pytest.raises(ParameterError, match="progressbar must be True, False or one of"):
        progress.make_progress(3)
    with pytest.raises(NotYetSupported, match="progressbar_theme is not supported"):
        progress.make_progress(True, progressbar_theme=object())
