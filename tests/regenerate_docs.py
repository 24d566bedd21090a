"""Regenerates what the documents take from the code: python -m tests.regenerate_docs

Tables in docs/ come from the operation table and the configuration's docstring; the blocks in
README.md from running their commands. `tests/test_docs.py` compares them.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from spaces.augmentation.families import FAMILIES
from spaces.augmentation.operations import OPERATIONS
from spaces.errors import InputError
from spaces.sections.section import Kinds, Section
from spaces.trial_config import ELSEWHERE, SECTIONS, TrialConfig

ROOT = Path(__file__).parent.parent
README, SPACES = ROOT / "README.md", ROOT / "docs" / "spaces.md"
RECORDED = Path(__file__).parent / "assets" / "search"
"""Ledger of a search with default options, for commands that show one."""


def operations_table() -> str:
    """The operations with their limits."""
    rows = ["| operation | at strength 1 | furthest | moves pixels |", "|---|---|---|---|"]
    for row in OPERATIONS.values():
        searched = row.describe(row.at(1.0))
        furthest = ""
        if row.has_limit:
            furthest = f"{row.widest:.0%}" if row.unit == "%" else f"{row.widest:g}{row.unit}"
        moves = "yes" if row.moves_pixels else ""
        rows.append(f"| `{row.name}` | {searched} | {furthest} | {moves} |")
    return "\n".join(rows)


def parameters_table() -> str:
    """The parameters of every section, from the docstrings of its kinds."""
    rows = ["| name | meaning | with | default |", "|---|---|---|---|"]
    for key, kinds in SECTIONS.items():
        default = TrialConfig().section(key)
        names = list(kinds)
        if len(names) > 1:
            what = inspect.getdoc(sys.modules[kinds.base.__module__]) or ""
            own = ", `module:function`" if _takes_own(kinds) else ""
            listed = ", ".join(f"`{name}`" for name in names)
            words = f"{what.removesuffix('.')}: {listed}{own}"
            rows.append(f"| **`{kinds.parameter}`** | {words} | | `{default.kind}` |")
        for name in kinds.names()[1:]:
            if name in ELSEWHERE:
                continue
            having = [kind for kind in names if kinds.has(kind, name)]
            settings = kinds.settings(having[0])
            told = "" if len(having) == len(names) else ", ".join(f"`{k}`" for k in having)
            value = {f.name: f.default for f in dataclasses.fields(settings)}[name]
            shown = "" if value == "" else f"`{value}`"
            rows.append(f"| `{name}` | {_meaning(settings, name)} | {told} | {shown} |")
    rows.append(
        "| **`policy`** | Augmentation per image: "
        + ", ".join(f"`{name}`" for name in FAMILIES)
        + " | | `none` |"
    )
    return "\n".join(rows)


def _takes_own(kinds: Kinds[Any]) -> bool:
    """Whether a kind may be a function of a team's own."""
    with contextlib.suppress(InputError):
        return bool(kinds.settings("module:function"))
    return False


def _meaning(settings: type[Section], name: str) -> str:
    """What the docstring of a section's kind, or of what it derives from, says of a setting."""
    for kind in settings.__mro__:
        text = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
        found = re.search(rf"^    {name}: ((?:.|\n {{8}})*)", text, re.MULTILINE)
        if found:
            return re.sub(r"\s+", " ", found[1]).replace("``", "`")
    raise LookupError(f"{settings.__name__}.{name} has no description")


def tree() -> str:
    """The rooms with what each says of itself."""
    lines = []
    for package in ("spaces", "results", "trainables", "search"):
        for init in sorted((ROOT / package).rglob("__init__.py")):
            room = init.parent.relative_to(ROOT)
            words = ast.get_docstring(ast.parse(init.read_text())) or ""
            name = "  " * (len(room.parts) - 1) + f"{room.name}/"
            lines.append(f"    {name:<18}{words.removesuffix('.')}")
    return "\n".join(lines)


def with_tree(text: str) -> str:
    """Replaces the tree behind ``<!-- tree -->``."""
    return re.sub(
        r"(<!-- tree -->\n\n)((?:    .*\n)*)", lambda found: f"{found[1]}{tree()}\n", text
    )


TABLES = {"operations": operations_table, "parameters": parameters_table}


def with_tables(text: str) -> str:
    """Replaces the table behind each ``<!-- table: name -->``."""
    for name, make in TABLES.items():
        mark = f"<!-- table: {name} -->"
        text = re.sub(
            re.escape(mark) + r"\n(\n\|(.*\n)*?(?=\n|\Z))?",
            lambda _, mark=mark, make=make: f"{mark}\n\n{make()}\n",  # type: ignore[misc]
            text,
        )
    return text


def run(command: str) -> str:
    """Output of a README command in a new folder that holds the recorded search."""
    with tempfile.TemporaryDirectory() as folder:
        if "search.show" in command:
            shutil.copytree(RECORDED, Path(folder) / "runs" / "digits" / RECORDED.name)
        done = subprocess.run(
            command.replace("python", shlex.quote(sys.executable), 1),
            shell=True,
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "100"},
        )
        return done.stdout.replace(folder, "…").rstrip()


def blocks(text: str) -> list[tuple[str, str]]:
    """Commands and their outputs, from ``console`` blocks."""
    found = re.findall(r"```console\n\$ (.*)\n((?:(?!```).*\n)*)```", text)
    return [(command, output.rstrip()) for command, output in found]


def with_blocks(text: str) -> str:
    """Runs every command that stands in a ``console`` block and puts its output there."""
    for command, output in blocks(text):
        old = f"```console\n$ {command}\n{output + chr(10) if output else ''}```"
        text = text.replace(old, f"```console\n$ {command}\n{run(command)}\n```")
    return text


if __name__ == "__main__":
    SPACES.write_text(with_tables(SPACES.read_text()))
    README.write_text(with_blocks(with_tree(README.read_text())))
