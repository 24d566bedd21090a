"""The YAML that names a contest, guessed from its folder and tried out before it is written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from results.masks.stray_numbers import StrayNumberError
from search.jobs.contest_data import check_writable, mask_form
from search.options.analysis import InitConfig
from search.options.embedded import EMBEDDED
from search.options.exit_codes import OK
from search.options.groups import DataConfig
from spaces.errors import InputError
from spaces.files import write_whole
from spaces.names import check_name
from trainables.audit.missing_labels import missing_labels
from trainables.data.contest import Contest, load_contest
from trainables.data.folder_guesses import guess
from trainables.data.guess import Guess

MASKS = ("mask", "colours", "run_lengths", "annotations", "overlapping", "void", "background")
"""Options that say how masks are written."""

TRAINED = ("metric", "baseline")
"""Options that say nothing of tables and images."""


def write_contest_yaml(config: InitConfig) -> int:
    """Guesses, reads the contest by the guesses, and writes them; returns the exit code.

    Raises:
        InputError: If the folder holds no contest, its tables are wrong, or the file is there.
    """
    root = Path(config.folder)
    if not config.folder:
        raise InputError("folder= is needed: a contest's folder as its site gives it out")
    if not root.is_dir():
        raise InputError(f"folder={config.folder}: there is no such folder")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.resolve().name).strip("-.")
    to = Path(config.to) if config.to else Path("conf/data") / f"{name or 'contest'}.yaml"
    if to.suffix != ".yaml" or to.parent.name != "data":
        raise InputError(
            f"to={config.to}: must be <folder>/data/<name>.yaml, which --config-dir <folder> finds"
        )
    check_name(to.stem, "to")
    name = name or to.stem  # of a folder in other letters, of which there may be several
    if to.stem in (*EMBEDDED, "csv"):
        raise InputError(f"data={to.stem} is ours: name another file by to=conf/data/<name>.yaml")
    if to.exists():
        raise InputError(f"{to} is there already: edit it, remove it, or name another by to=")
    check_writable(to.parent, "to")
    guesses = guess(root.resolve())
    given = {g.option: g.value for g in guesses if g.option not in TRAINED}
    data = DataConfig(**given)
    tables = {key: value for key, value in given.items() if key not in MASKS}
    masks = mask_form(data, root) if data.masked else None
    try:
        summary = _summary(load_contest(name=name, root=root, masks=masks, **tables))
    except StrayNumberError as question:  # which the options that are written can answer
        summary = str(question)
    for found in guesses:
        print(f"  {found.option:12} {_shown(found.value):24} {found.why}")
    to.parent.mkdir(parents=True, exist_ok=True)
    write_whole(_text(name, root.resolve(), guesses), to)
    print(f"\n{summary}")
    begin = f"--config-dir {shlex.quote(str(to.parent.parent))} data={to.stem}"
    print(f"\nWritten: {to}\nNext:\n  python -m search.audit {begin}")
    print(f"  python -m search.train {begin}")
    return OK


def _summary(contest: Contest) -> str:
    named = ", ".join(contest.classes[:6]) + (", …" if len(contest.classes) > 6 else "")
    words = (
        f"{contest.name}: {len(contest.train_images):,} training and "
        f"{len(contest.test_images):,} test images, {len(contest.classes)} classes: {named}"
    )
    doubts = (f"warning: {f.what}: {f.advice}" for f in missing_labels(contest))
    return "\n".join([words, *doubts])


def _shown(value: Any) -> str:
    return str(value) if value != "" else "(none)"


def _text(name: str, root: Path, guesses: Sequence[Guess]) -> str:
    """YAML with the reasons beside what was guessed; defaults are left out."""
    defaults = DataConfig()
    lines = [f"# {root.name}, as its folder looks; edit what is wrong"]
    lines += [_line("name", name), _line("root", str(root))]
    for found in guesses:
        if getattr(defaults, found.option) != found.value:
            lines.append(f"{_line(found.option, found.value)}  # {found.why}")
    return "\n".join(lines) + "\n"


def _line(option: str, value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6)
    return f"{option}: {text.removesuffix('...' + chr(10)).strip()}"
