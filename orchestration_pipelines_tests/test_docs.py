"""The pages say what is there: verbs and options, targets, links, modules."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orchestration_pipelines.cli.main import orchestrate

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LARGEST_PICTURE = 300_000

_BLOCK = re.compile(r"^ *```[^\n]*\n(.*?)^ *```|^((?: {4}[^\n]*\n)+)", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
#: a command: the word ``orchestrate`` or ``make`` at the beginning of a line, or behind a prompt or a path
_COMMAND = re.compile(r"(?:^|[\s\"(/=])(orchestrate|make) ([a-z][^)\"#]*)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
_TRIAL = re.compile(r"python -m (orchestration_pipelines_tests[\w.]*)")
_MODULE = re.compile(r"`((?:model|domain|store|engine|defs|cli|workflows)/[\w/]+\.(?:py|sql))`")


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each command of a page's code: the program, and its words."""
    written = page.read_text(encoding="utf-8")
    pieces = [block or indented for block, indented in _BLOCK.findall(written)]
    pieces += _SPAN.findall(_BLOCK.sub("", written))
    for piece in pieces:
        for line in piece.splitlines():
            for program, words in _COMMAND.findall(line):
                yield program, words.split()


def unknown(words: list[str]) -> str | None:
    """What ``orchestrate`` does not know of these words: a verb or an option."""
    command: click.Command = orchestrate
    for word in words:
        if isinstance(command, click.Group):
            if not re.fullmatch(r"[a-z][a-z-]*[,:;.]?", word):
                return None  # `orchestrate VERB`, `orchestrate …`
            names = word.rstrip(",:;.").split("|")
            if names[0] not in command.commands:
                return f"{command.name} {word}"
            command = command.commands[names[0]]
        elif word.startswith("--"):
            known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
            if word.split("=")[0].rstrip(",:;.") not in known | {"--help"}:
                return f"{command.name} {word}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_verb_and_option_is_there(page: Path) -> None:
    """A page that names a command which does not exist sends its reader astray."""
    asked = [words for program, words in commands(page) if program == "orchestrate"]
    assert [wrong for words in asked if (wrong := unknown(words))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_is_there(page: Path) -> None:
    """The same for make."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = {words[0].rstrip(",:;.") for program, words in commands(page) if program == "make"}
    assert asked <= targets


def test_commands_are_found_and_wrong_ones_told() -> None:
    """The tests above look at something: the README has commands, and a misspelt one would be seen."""
    asked = list(commands(ROOT / "README.md"))
    assert len([words for program, words in asked if program == "orchestrate"]) > 30
    assert {"run", "test", "up"} <= {words[0] for program, words in asked if program == "make"}
    assert unknown(["reviews", "lst"]) == "reviews lst"
    assert unknown(["reviews", "list", "--quue", "x"]) == "list --quue"
    assert unknown(["reviews", "list", "--queue", "x"]) is None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Links and pictures in the repository; addresses elsewhere are not asked."""
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_is_there(page: Path) -> None:
    """A module that moved takes its mention along."""
    named = _MODULE.findall(page.read_text(encoding="utf-8"))
    places = (ROOT / "orchestration_pipelines", ROOT / "orchestration_pipelines_tests")
    assert [name for name in named if not any((place / name).is_file() for place in places)] == []


def test_every_trial_is_there() -> None:
    """The pages name trials as Python runs them."""
    named = {name for page in PAGES for name in _TRIAL.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 4
    assert [name for name in sorted(named) if importlib.util.find_spec(name) is None] == []


def test_every_term_of_the_glossary_names_its_module() -> None:
    """Each row: the term, what it means, and at least one module where it lives."""
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| **")]
    assert len(rows) > 40
    assert [row for row in rows if not _MODULE.search(row)] == []
    terms = [row.split("**")[1] for row in rows]
    assert terms == sorted(terms, key=str.casefold)


def test_every_decision_has_its_parts() -> None:
    """An ADR says what was decided, is numbered once, and is one page."""
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for record in records:
        written = record.read_text(encoding="utf-8")
        assert written.startswith(f"# {record.name[:4]}: ")
        assert "**Decided" in written
        assert len(written.splitlines()) <= 70


def test_pictures_are_small() -> None:
    """A clone carries every version of a picture for ever."""
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size >= _LARGEST_PICTURE] == []
