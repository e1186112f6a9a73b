"""The documents: every link has a target, and every command, option, file and quoted message exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from autograder.cli.app import app
from autograder.data.dataset import DATASETS
from autograder.layout import HOME, Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy
from autograder.tests.docs.documents import BLOCKS, DOCUMENTS, FILE, INLINE, PACKAGE, ROOT, SHELL, Block, prose

STUDENTS = ROOT / "assignment" / "handout" / "README.md"

BY_PEOPLE = "by people, at a release"
ELSEWHERE: Mapping[str, str] = {
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "make lock": BY_PEOPLE,
    "make setup": ".ci/run",
    "make bench": BY_PEOPLE,
    "make pictures": "test_pictures.py",
    "make build": "test_build.py",
    ".ci/run": BY_PEOPLE,
    "mnist-kit new-term": "test_new_term.py",
    "mnist-kit calibrate": "test_calibrate.py",
    "mnist-kit grade --regrade": "test_app.py",
    "mnist-kit grade --docker": "test_containers.py",
    "mnist-kit grade --dask": "test_cluster.py",
    "mnist-kit review --database": "test_database.py",
    "otter grade": "test_containers.py",
    "otter run": "test_stock_otter.py",
    "pytest --submission": "test_app.py",
    "ssh -N": BY_PEOPLE,
}
"""The test file or the script that runs an example that does not run here, by words of the example."""

LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")
WRITTEN = frozenset({"final_grades.csv", "results.json", "gradebook.db", "grades.csv"})
"""Names of files that the kit, Otter and Gradescope write."""

IMAGES = frozenset(f"{name}.npz" for name in DATASETS)
"""Files of images: one is shipped, and `mnist-kit data` makes the others."""

EMPTY_CHECK = re.compile(r"said by (?P<question>q\d+) of an empty notebook")
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a document."""
    heads = re.findall(r"^#+ +(.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(path: Path) -> set[str]:
    return {first or second for first, second in LINK.findall(prose(path))}


@cache
def options(program: str) -> Mapping[str, frozenset[str]]:
    """Return the commands of a program, each with its options."""
    if program == "mnist-kit":
        verbs: Mapping[str, Any] = vars(typer.main.get_command(app))["commands"]
    else:
        from otter.cli import cli

        verbs = cli.commands
    return {
        name: frozenset(option for each in verb.params for option in (*each.opts, *each.secondary_opts))
        for name, verb in verbs.items()
    }


def mistake(words: tuple[str, ...]) -> str:
    """Return the mistake in a command; empty if the command exists and has these options."""
    program, *rest = words
    if program in ("mnist-kit", "otter"):
        verb = rest[0] if rest else "--help"
        known = options(program)
        if verb not in known:
            return "" if verb == "--help" else f"{program} has no {verb}"
        given = [word.partition("=")[0] for word in rest[1:] if re.match("--?[a-z]", word)]
        return ", ".join(f"{program} {verb} has no {each}" for each in given if each not in known[verb] | {"--help"})
    if program == "make":
        verbs = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return ", ".join(f"no verb {word}" for word in rest if "=" not in word and word not in verbs)
    return ""


def exists(name: str, path: Path) -> bool:
    """Whether a word in the document `path` names no file, or one beside it, in the repository or in the package."""
    if not FILE.fullmatch(name) or name.startswith(("out/", "dist/")) or PLACEHOLDER.search(name):
        return True
    if name in WRITTEN or Path(name).name in IMAGES:
        return True
    if "/" not in name and next(PACKAGE.rglob(name), None) is not None:
        return True
    return any(next(folder.glob(name), None) is not None for folder in (path.parent, ROOT, PACKAGE))


def test_every_document_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path.suffix == ".md" and path not in found and path.exists():
            found.add(path)
            waiting += [(path.parent / link.partition("#")[0]).resolve() for link in links(path) if "://" not in link]
    assert found == set(DOCUMENTS)


@each_document
def test_every_link_and_every_picture_has_a_target(path: Path) -> None:
    for link in links(path):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_page_for_students_needs_no_repository(layout: Layout) -> None:
    text = (layout.dist / "handout" / "README.md").read_text(encoding="utf-8")
    assert text == STUDENTS.read_text(encoding="utf-8")
    assert all("://" in link for link in links(STUDENTS)), "there is no repository beside it"
    assert "mnist-kit" not in text
    named = [name for name in INLINE.findall(text) if FILE.fullmatch(name) and name != ".ipynb"]
    assert named
    assert all((layout.dist / "handout" / name).exists() for name in named), named


@each_document
def test_everything_that_a_sentence_names_exists(path: Path) -> None:
    sections = Policy.model_fields
    for words in INLINE.findall(prose(path)):
        assert not mistake(tuple(words.replace(".venv/bin/", "").split())), words
        assert exists(words, path), words
        section, _, key = words.partition(".")
        if section in ("assignment", "execution", "attempts", "feedback", "review") and re.fullmatch("[a-z_]+", key):
            known: Any = sections[section].annotation
            assert key in known.model_fields or (PACKAGE / section / f"{key}.py").exists(), words


def test_every_block_names_its_language() -> None:
    assert {block.kind for block in BLOCKS} == {"diff", "sh", "yaml", "text"}


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_exists_and_its_files_too(block: Block) -> None:
    written = re.findall(r"> (\S+)", block.text)
    for words in block.commands:
        assert not mistake(words), words
        for word in set(words[1:]).difference(written):
            assert exists(word, block.document), word


@pytest.mark.parametrize("block", [block for block in SHELL if block.mark], ids=str)
def test_an_example_that_does_not_run_here_runs_elsewhere(block: Block) -> None:
    for words in block.commands:
        keys = [key for key in ELSEWHERE if set(key.split()) <= set(words)]
        assert keys, f"{shlex.join(words)}: name in ELSEWHERE what runs it"
        for runner in {ELSEWHERE[key] for key in keys} - {BY_PEOPLE}:
            assert (ROOT / runner).exists() or any(PACKAGE.rglob(runner)), runner


def test_every_example_that_runs_elsewhere_is_in_a_document() -> None:
    shown = [set(words) for block in SHELL if block.mark for words in block.commands]
    assert not [key for key in ELSEWHERE if not any(set(key.split()) <= words for words in shown)]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.kind == "yaml"], ids=str)
def test_every_part_of_grading_yml_can_be_read(block: Block) -> None:
    content = yaml.safe_load(HOME.policy.read_text(encoding="utf-8"))
    for section, values in yaml.safe_load(block.text).items():
        content[section] = {**content.get(section, {}), **values}
    grading_file.parse(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), HOME.policy)


@pytest.mark.parametrize("block", [block for block in BLOCKS if EMPTY_CHECK.fullmatch(block.mark)], ids=str)
def test_the_quoted_message_of_a_check_is_its_real_message(block: Block, layout: Layout) -> None:
    mark = EMPTY_CHECK.fullmatch(block.mark)
    assert mark is not None
    file = layout.dist / "handout" / "tests" / f"{mark['question']}.py"
    names: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    (check,) = (value for name, value in names.items() if name.startswith("test_public"))
    with pytest.raises(AssertionError) as raised:
        check.call_func({})
    assert str(raised.value) == block.text.strip()
