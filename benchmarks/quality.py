"""How well we rank and forecast out of time, beside what people would use instead.

    python benchmarks/quality.py completejourney
    python benchmarks/quality.py simulated [--signal 0]
    python benchmarks/quality.py FOLDER_OR_FILE [--window-months 6] [--set KEY=VALUE ...]

Everybody learns from label windows that had closed by the test cutoff and scores the same
customers; figures are means over the divisions with at least 8 buyers and 8 others, with 95 %
intervals from a bootstrap of customers. Who never bought in a division is judged apart.
``--write docs/quality.md`` puts the tables there. featuretools and FLAML may live in an
environment of their own: ``--peer-python``.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import yaml
from judged.contest import Contest, contestants
from judged.figures import Judge
from judged.logs import Log, make_workspace, opened
from judged.page import page, write_section
from judged.split import Split, make_split, test_cutoffs

from gosales.errors import GoSalesError
from gosales.etl.star import read_star_facts
from gosales.workspace import Workspace


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", help="completejourney, simulated, or a file or folder")
    parser.add_argument("--title", help="of the section (default: the log's name)")
    parser.add_argument(
        "--window-months", type=int, help="label window (completejourney 3, else 6)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting")
    parser.add_argument("--customers", type=int, default=2000, help="of the simulated log")
    parser.add_argument("--signal", type=float, default=1.0, help="of the simulated log")
    parser.add_argument("--tests", type=int, default=1, help="test cutoffs, half a window apart")
    parser.add_argument("--only", help="contestants whose name holds one of these (comma list)")
    parser.add_argument("--draws", type=int, default=300, help="bootstrap draws")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--flaml-seconds", type=float, default=60.0, help="search, a division")
    parser.add_argument("--peer-python", default=sys.executable, help="has featuretools, flaml")
    parser.add_argument("--work", type=Path, help="workspace to make and keep (default: none)")
    parser.add_argument("--write", type=Path, help="Markdown file whose section is replaced")
    return parser.parse_args()


def main() -> None:
    choice = arguments()
    warnings.simplefilter("ignore")
    try:
        with tempfile.TemporaryDirectory() as folder:
            text = judged(choice, choice.work or Path(folder))
    except GoSalesError as error:
        sys.exit(f"{error.message}\n{error.remedy}".strip())
    print(text)
    if choice.write:
        write_section(choice.write, choice.title or Path(choice.log).name, text)


def judged(choice: argparse.Namespace, root: Path) -> str:
    """The section of the log."""
    started = time.perf_counter()
    sample = {"customers": choice.customers, "signal": choice.signal}
    log = Log.of(choice.log, choice.title, choice.window_months, flags(choice), sample)
    make_workspace(log, root)
    tell(f"{log.title}: the star took {time.perf_counter() - started:.0f} s")
    tests = test_cutoffs(read_star_facts(Workspace(root)), log.window_months, choice.tests)
    everybody = contestants(choice.peer_python, choice.seed, choice.flaml_seconds)
    if choice.only:
        words = ["gosales", *choice.only.lower().split(",")]
        everybody = [one for one in everybody if any(word in one.name.lower() for word in words)]
    splits: list[Split] = []
    contest: Contest | None = None
    for test in tests:
        with opened(log, root, run__cutoff_date=test, run__seed=choice.seed) as run:
            clock = time.perf_counter()
            split = make_split(run, test)
            tell(f"{test}: labels and features took {time.perf_counter() - clock:.0f} s")
            contest = contest or Contest(Judge(len(split.customers), choice.draws, choice.seed))
            for done in contest.hold(split, everybody):
                tell(f"{test}: {done}")
            splits.append(split)
    assert contest is not None
    seconds = time.perf_counter() - started
    return page(log.title, command(), splits, contest, everybody, seconds)


def flags(choice: argparse.Namespace) -> dict[str, Any]:
    pairs = [one.partition("=") for one in choice.set]
    return {key: yaml.safe_load(value) for key, _, value in pairs}


def command() -> str:
    """As it was called, without what belongs to this machine."""
    words, skip = [], False
    for word in sys.argv[1:]:
        if not skip and word not in ("--peer-python", "--work", "--write"):
            path = Path(word)
            words.append(path.name if path.is_absolute() else word)
        skip = word in ("--peer-python", "--work", "--write")
    return shlex.join(["python", "benchmarks/quality.py", *words])


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
