"""Every command of the handbook works: it is run, or its words and options are checked."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate.commands import commands
from gosales.config import load_settings
from tests.demo_run import COMMAND
from tests.docs.documented import undocumented
from tests.docs.pages import NOT_RUN, UNTIL, inline_commands, pages
from tests.docs.reader import Reader

PAGES = {page.name: page for page in pages()}
FOLLOWED = sorted(name for name, page in PAGES.items() if page.runs_in == "a workspace")
COMMANDS = commands()
TITLE = re.compile(rf"|{re.escape(UNTIL)}|Ends with exit code \d")
INCLUDED = r'--8<-- "docs/(notebooks|examples)/\w+\.py"'


def test_the_tutorial_leads_from_a_clone_to_the_list_of_ones_own_log(tutorial: Path) -> None:
    assert COMMAND in PAGES["tutorial.md"].path.read_text(encoding="utf-8")
    listed = (tutorial / "gosales/outputs/whitespace.csv").read_text(encoding="utf-8")
    assert "Firma" in listed
    assert (tutorial / "gosales-report.html").is_file()
    assert list((tutorial / "gosales/outputs/handover").glob("*.xlsx"))


@pytest.mark.parametrize("name", FOLLOWED)
def test_every_block_of_a_page_works(name: str, tutorial: Path, tmp_path: Path) -> None:
    place = tmp_path / "mycompany"
    shutil.copytree(tutorial, place)
    Reader(place).follow(PAGES[name])
    assert not undocumented(place)


@pytest.mark.parametrize("name", PAGES)
def test_blocks_are_run_or_say_why_not(name: str) -> None:
    page = PAGES[name]
    for block in page.blocks:
        if block.language in ("text", "yaml", "csv"):
            continue
        if block.language == "python" and re.fullmatch(INCLUDED, block.text):
            continue  # a file that a test of its own runs
        run = page.runs_in and block.language == "bash" and TITLE.fullmatch(block.title)
        assert run or (len(block.title) > len(NOT_RUN) and block.title.startswith(NOT_RUN)), (
            f"{name}:{block.line}"
        )


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_are_not_run_are_right(name: str) -> None:
    page = PAGES[name]
    lines = [line for block in page.blocks if block.title.startswith(NOT_RUN)
             for line in called(block.text)]  # fmt: skip
    for line in lines:
        words = check(line, name)
        COMMANDS[words].make_context(words, rest(line, words))
    for line in inline_commands(page):
        check(line, name)


@pytest.mark.parametrize("name", PAGES)
def test_settings_are_right(name: str, tmp_path: Path) -> None:
    for number, block in enumerate(PAGES[name].blocks):
        if block.language == "yaml" and block.title.startswith("config.yaml"):
            file = tmp_path / f"{number}.yaml"
            file.write_text(block.text, encoding="utf-8")
            load_settings(tmp_path, file)


def called(text: str) -> Iterator[str]:
    """The calls of gosales in a script, whatever stands around them."""
    joined = re.sub(r"\d?>\S*", "", text.replace("\\\n", " ").replace("`\n", " "))
    for found in re.finditer(r"(?:^|[\s/\\;&(])(gosales(?:\.exe)? [^\n;&|)#>]+)", joined):
        if "git" not in found.string[: found.start()].rsplit("\n", 1)[-1]:
            yield found[1].replace("gosales.exe", "gosales", 1)


def check(line: str, where: str) -> str:
    """The command's words; fails on a command or an option that does not exist."""
    told = [word for word in shlex.split(line)[1:] if not word.startswith("--help")]
    plain = [word for word in told if not word.startswith("-")]
    known = [" ".join(plain[:n]) for n in (2, 1) if " ".join(plain[:n]) in COMMANDS]
    groups = {words.split()[0] for words in COMMANDS if " " in words}
    if not known and (plain[:1] == ["COMMAND"] or not told or told[0] in groups):
        return ""
    assert known, f"{where}: {line}: no such command"
    options = {word for one in COMMANDS[known[0]].params for word in one.opts}
    for word in told:
        if word.startswith("-"):
            assert word.split("=")[0] in options, f"{where}: {line}: no option {word}"
    return known[0]


def rest(line: str, words: str) -> list[str]:
    return shlex.split(line)[1 + len(words.split()) :]


def test_a_wrong_command_is_found() -> None:
    assert [*called('15 6 * * 1  cd "/x" && /x/bin/gosales run --quiet >log 2>&1')] == [
        "gosales run --quiet  "
    ]
    assert [*called("& .venv\\Scripts\\gosales.exe run --workspace C:\\x")] == [
        "gosales run --workspace C:\\x"
    ]
    for wrong in ("gosales rum", "gosales run --fast"):
        with pytest.raises(AssertionError):
            check(wrong, "here")
    assert check("gosales validate leakage --cutoff 2024-06-30", "here") == "validate leakage"
