"""Command lines: what is read, and what is said of what cannot be."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import hydra
import pytest

import search
from search.options import composition
from search.options.analysis import (
    ScoreConfig,
    ShowConfig,
    SpaceConfig,
    SyncConfig,
    TrustConfig,
    UiConfig,
)
from search.options.audit import AuditConfig, PreviewConfig
from search.options.command_line import help_text, main, parse
from search.options.embedded import EMBEDDED, DigitsConfig, MasksConfig, embedded_name
from search.options.option import about, keys
from search.options.parameters import check_parameters, flatten
from search.options.recorded import recorded_options
from search.options.search_space import resolve_space
from search.options.training import PromoteConfig, RunConfig, TrainConfig
from spaces.errors import InputError

COMMANDS = sorted(p.stem for p in Path(search.__file__).parent.glob("[a-z]*.py"))
SCHEMAS = [RunConfig, TrainConfig, ShowConfig, SyncConfig, UiConfig]


def test_defaults() -> None:
    config = parse(RunConfig, [])
    assert isinstance(config.data, DigitsConfig)
    assert (config.space, config.trials, config.confirm) == ("aug_policy", 16, 3)


def test_embedded_contests_have_options_of_their_own() -> None:
    config = parse(RunConfig, ["data=masks", "data.group=person", "data.baseline.epochs=3"])
    assert isinstance(config.data, MasksConfig)
    assert (config.data.name, config.data.group) == ("masks", "person")
    assert config.data.baseline == {**MasksConfig().baseline, "epochs": 3}
    assert embedded_name(config.data) == "masks"
    assert embedded_name(parse(RunConfig, ["data=masks", "data.root=/mine"]).data) == ""
    assert embedded_name(parse(RunConfig, ["data=csv", "data.root=/mine"]).data) == ""
    for name in EMBEDDED:
        assert embedded_name(parse(TrainConfig, [f"data={name}"]).data) == name
        assert f"{name} " in help_text(AuditConfig, "")
    with pytest.raises(InputError, match=r"unknown data 'mask'.*did you mean masks"):
        parse(RunConfig, ["data=mask"])


def test_values_and_open_groups() -> None:
    config = parse(
        RunConfig,
        [
            "trials=4",
            'space=[aug_policy(stages=3),backbone(names=["a","b"]), schedule]',
            "fix.lr=1e-3",
            "fix.stage1.operation=rotate",
            "narrow.mix=[none, mixup]",
            "narrow.lr=[1e-4,1e-3]",
            "data=csv",
            "data.root=/a b/c=(d)'s",
            "data.classes=[x,y]",
            "data.baseline.backbone=resnet18",
            "model=my.module:net",
            "resources.gpu=0.5",
        ],
    )
    assert config.space == ["aug_policy(stages=3)", 'backbone(names=["a","b"])', "schedule"]
    assert flatten(config.fix) == {"lr": 1e-3, "stage1.operation": "rotate"}
    assert config.narrow == {"mix": ["none", "mixup"], "lr": [1e-4, 1e-3]}
    assert config.data.root == "/a b/c=(d)'s"
    assert config.data.classes == ["x", "y"]
    assert config.data.baseline == {"backbone": "resnet18"}
    assert config.model == "my.module:net"
    assert parse(RunConfig, ["data.train_images=ümläute"]).data.train_images == "ümläute"
    assert config.resources.gpu == 0.5
    texts = parse(RunConfig, ["name=2026_01", "data.label=1_0", "data.classes=[true,no,1e5]"])
    assert (texts.name, texts.data.label) == ("2026_01", "1_0")
    assert texts.data.classes == ["true", "no", "1e5"]


def test_a_folder_of_own_yaml(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(
        "name: mine\nroot: /images\nbaseline:\n  lr: 1e-4\n"
    )
    config = parse(RunConfig, ["--config-dir", str(tmp_path), "data=mine", "data.label=class"])
    assert (config.data.name, config.data.root, config.data.label) == ("mine", "/images", "class")
    assert config.data.baseline == {"lr": "1e-4"} or config.data.baseline == {"lr": 1e-4}
    with pytest.raises(InputError, match=r"unknown data 'mien'.*did you mean mine"):
        parse(RunConfig, [f"--config-dir={tmp_path}", "data=mien"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "name: x\nroots: /images\n",
            r"unknown option 'roots' \(in .*bad.yaml\): did you mean root",
        ),
        ("name: [x\nroot: {\n", "bad.yaml, line 2: "),
        ("name: x\nname: y\n", "bad.yaml, line 2: found duplicate key"),
        ("name: [x]\n", "bad.yaml: data.name: Cannot convert"),
        ("name: x\nbaseline: 5\n", "bad.yaml: .*Cannot assign int"),
        ("root: Käse\n", "a YAML file there is not text in UTF-8"),
    ],
)
def test_own_yaml_that_is_none_is_told_with_its_file(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bad.yaml").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=words) as caught:
        parse(RunConfig, [f"--config-dir={tmp_path}", "data=bad"])
    assert "\n" not in str(caught.value)


def test_the_home_of_paths_wherever_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shells write it for a word that begins with it, which no option does."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "2026.yaml").write_text("name: mine\nroot: ~/images\n")
    words = ["data.train_images=[~/a,b]", "data.mask=~x", "data.colours=~/c.csv"]
    words += ["weights=~/w", "fix.weights=~/f"]
    config = parse(RunConfig, ["--config-dir=~/", "data=2026", *words])
    assert config.data.root == f"{tmp_path}/images"
    assert config.data.colours == f"{tmp_path}/c.csv"
    assert config.data.train_images == [f"{tmp_path}/a", "b"]
    assert (config.weights, config.fix["weights"]) == (f"{tmp_path}/w", f"{tmp_path}/f")
    assert config.data.mask == "~x"
    made = tmp_path / "runs/digits/golden"
    made.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "assets/search/ledger.jsonl", made)
    with pytest.raises(InputError, match="resume=golden: search is a search"):
        parse(TrainConfig, ["runs=~/runs", "resume=golden"], recorded=recorded_options("train"))


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("trails=3", "did you mean trials"),
        ("data.lable=x", r"did you mean data\.label"),
        ("trials=many", "trials.*'many'"),
        ("trials=-1", "trials=-1: must be at least 1"),
        ("trials=[1", r"trials=\[1.*cannot be read|trials.*read"),
        ("confirm=1", "at least 2 seeds"),
        ("resources.cpu=-1", "0 or more"),
        ("resources.gpu=1.5", "resources.gpu=1.5: must be whole above 1"),
        ("resources.processes=-1", "0 or more"),
        ("resources.processes=2", "say resources.gpu=2 or resources.gpu=0"),
        ("scheduler.reduction=1", "above 1"),
        ("scheduler.reduction=inf", r"scheduler\.reduction=inf: a finite number is needed"),
        ("scheduler.rule=pase", "pace"),
        ("holdout.folds=1", "at least 2"),
        ("holdout.seed=4294967296", "holdout.seed=4294967296: must be from 0 to"),
        ("seed=-1", "seed=-1: must be from 0 to"),
        ("data=cvs", "did you mean csv"),
        ("cluster.address=ray://host:10001", "cluster.address=auto"),
        ("cluster.address=nope", "cluster.address=nope: must be auto, or host:port"),
        ("data.classes=[a,b,a]", "data.classes=a: must be there once"),
        ("data.interpolation=bicubi", "did you mean bicubic.* choices: area, auto"),
        ("name=../../etc", "only letters"),
        ("direction=up", "maximize or minimize"),
        ("--verbose", "unknown flag"),
        ("hello", "key=value"),
        ("--config-dir=/no/such", "no such folder"),
        ("--config-dir", "no such folder"),
        ("epochs=-1", "epochs"),
        ("port=3", "unknown option 'port'"),
    ],
)
def test_bad_arguments_get_one_clear_line(argument: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parse(RunConfig, [argument])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["resources.gpu=3", "resources.processes=2"], "say resources.gpu=2 or resources.gpu=0"),
        (["resources.gpu=2", "resources.processes=1"], "say resources.gpu=1 or resources.gpu=0"),
        (
            ["resources.cpu=1", "resources.gpu=0", "resources.processes=2"],
            "on resources.cpu=1: give each a core",
        ),
    ],
)
def test_processes_that_do_not_suit_what_they_get(arguments: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(RunConfig, arguments)


@pytest.mark.parametrize("words", [["reset=5"], ["ends=2026-12-01"], ["reserve=0.5"]])
def test_what_belongs_to_a_quota_is_refused_without_one(words: list[str]) -> None:
    with pytest.raises(InputError, match=f"{words[0]} belongs to a quota"):
        parse(ScoreConfig, words)
    assert parse(ScoreConfig, [*words, "quota=5/day"]).quota == "5/day"


def test_a_space_is_shown_with_all_that_a_search_takes() -> None:
    options = {"space", "fix", "narrow", "drop", "pipelines", "parts"}
    for schema in (RunConfig, PreviewConfig, SpaceConfig):
        assert options <= set(about(schema))


def test_what_a_command_never_asks_about_is_not_accepted() -> None:
    assert parse(TrustConfig, ["accept=[validation]"]).accept == ["validation"]
    with pytest.raises(InputError, match=r"unknown word 'code'.*validation"):
        parse(TrustConfig, ["accept=[code]"])


@pytest.mark.parametrize("chosen", [[], ["data=masks"], ["data=csv", "data.root=a"]])
def test_what_tests_compose_is_what_hydra_composes(
    chosen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [*chosen, "fix.lr=1e-3", "space=[schedule]", "data.classes=[b,a]", "epochs=3"]
    quickly = parse(RunConfig, given)
    monkeypatch.setattr(composition, "compose", hydra.compose)
    assert parse(RunConfig, given) == quickly


@pytest.mark.parametrize("word", ["data.baseline={lr: 1e-3}", "fix={lr: 1e-3}", "narrow=x"])
def test_options_whose_names_users_choose_are_written_one_by_one(word: str) -> None:
    key = word.partition("=")[0]
    with pytest.raises(InputError, match=rf"settings are written by name, such as {key}\.lr=1e-3"):
        parse(RunConfig, [word])


def test_a_bare_word_is_the_positional_option() -> None:
    assert parse(ShowConfig, ["latest"], positional="select").select == "latest"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_option_is_explained(schema: type) -> None:
    told = {key: about.words for key, _, about in keys(schema)}
    text = help_text(schema, "what it does")
    assert told
    for key, words in told.items():
        assert words
        assert f"  {key}" in text
        assert words in text


def test_what_a_job_does_with_an_option_stands_beside_it() -> None:
    told = about(RunConfig)
    assert {n for n, a in told.items() if a.names_code} == {
        "model",
        "loss",
        "metric",
        "pipelines",
        "prepare",
        "space",
        "parts",
    }
    assert {n for n, a in told.items() if a.may_change} == {"trials", "confirm"}
    assert {n for n, a in about(PromoteConfig).items() if a.decides} == {
        "promote",
        "folds",
        "seeds",
        "race",
    }
    assert not any(a.decides and not a.recorded for a in told.values())


@pytest.mark.parametrize(
    ("value", "fix", "narrow", "words"),
    [
        ("aug_polcy", {}, {}, "did you mean aug_policy"),
        (["schedule", "nothing"], {}, {}, "unknown space 'nothing'"),
        ([], {}, {}, "name at least one"),
        ("aug_policy(stages={[]: 1})", {}, {}, "arguments are written as aug_policy"),
        (["schedule", "schedule"], {}, {}, "schedule is there twice"),
        ("schedule", {}, {"ler": [1, 2]}, "did you mean lr"),
        ("schedule", {}, {"lr": [1e-2, 1e-3]}, "upside down"),
        ("schedule", {"lr": 1e-3}, {"lr": [1e-4, 1e-3]}, "fix.lr= and narrow.lr=.*give one"),
        ("mixing", {}, {"mix": []}, "narrow.mix=.*: give at least one of none"),
        ("no.such.module:space", {}, {}, "cannot import"),
        ("spaces.ready:REDY", {}, {}, "unknown function"),
        ("math:pi", {}, {}, "unknown function"),
        ("os:getcwd", {}, {}, "not a SearchSpace"),
        (
            "schedule",
            {"lr": 1e-3, "weight_decay": 1e-2, "warmup_epochs": 0},
            {},
            "everything that the space searches is fixed",
        ),
    ],
)
def test_bad_spaces(value: object, fix: dict, narrow: dict, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=words):
        resolve_space(value, fix, narrow)


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (["cutmx"], r"unknown choice 'cutmx' \(in drop=\[cutmx\]\): did you mean cutmix"),
        (["mix.rotate"], "unknown choice 'mix.rotate'"),
        (["mix"], r"'mix' is a parameter, of which fix.mix=… .* here none, mixup, cutmix"),
        (["none", "mixup", "cutmix"], r"nothing is left of 'mix', whose choices are none, mixup"),
    ],
)
def test_choices_that_cannot_be_left_out(drop: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve_space("aug_policy", {}, {}, drop)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def space(:", "cannot import.*SyntaxError"),
        ("1 / 0", "cannot import.*ZeroDivisionError"),
        ("exit(0)", "cannot import.*SystemExit"),
        ("def space(x): ...", "TypeError"),
        (
            "from optuna.distributions import FloatDistribution\n"
            "def space(): return FloatDistribution(2, 1)",
            "ValueError.*low",
        ),
    ],
)
def test_own_code_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    name = f"own_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match=words):
        resolve_space(f"{name}:space")


def test_an_own_space_loads() -> None:
    assert resolve_space("spaces.ready.schedule:schedule").name == "schedule"


def test_a_path_that_cannot_be_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["search.show"])
    with pytest.raises(SystemExit) as ended:
        main(ShowConfig, lambda config: len(Path("x" * 300).read_bytes()), "")
    assert (ended.value.code, capsys.readouterr().err[:25]) == (2, "error: File name too long")


def test_a_file_that_may_not_be_so_large_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(config: ShowConfig) -> int:
        (tmp_path / "file").write_bytes(bytes(2000))
        return 0

    monkeypatch.setattr(sys, "argv", ["show"])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(SystemExit) as ended:
            main(ShowConfig, write, "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: a file is larger than files may be here;")


HEAVY = {"torch", "ray", "mlflow", "timm", "albumentations", "sklearn", "scipy", "pandas"}
"""Libraries that take long to import: not before options and names are checked."""


TOLD_AT_ONCE: list[tuple[str, list[str]]] = [
    *((name, ["--help"]) for name in COMMANDS),
    *((name, ["nosuchoption=1"]) for name in COMMANDS),
    ("run", ["space=aug_polcy"]),
    ("run", ["tracking=foo://bar"]),
    ("run", ["trials=none"]),
    ("run", ["data=csv", "data.root=/nowhere"]),
    ("train", ["weights=/nowhere.safetensors"]),
    ("predict", ["images=nowhere"]),
    ("export", ["to=nowhere/model"]),
    *((name, ["fix.polcy=none"]) for name in ("preview", "run", "space", "train")),
    ("promote", ["promote.bakbone=resnet18"]),
    ("audit", ["data.baseline.sise=64"]),
]

IN_TURN = """
import json, os, runpy, sys
from pathlib import Path

told = []
path, cases = sys.argv[1:]
for command, arguments in json.loads(cases):
    before, sys.argv[1:] = set(sys.modules), arguments
    try:
        runpy.run_module(f"search.{command}", run_name="__main__")
    except SystemExit as ended:
        told.append([ended.code, sorted(set(sys.modules) - before), os.listdir()])
Path(path).write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, list[str], list[str]]]:
    """Exit codes, what was imported, and files, of commands in turn in a process of their own."""
    folder, path = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("told") / "told.json"
    command = [sys.executable, "-c", IN_TURN, str(path), json.dumps(TOLD_AT_ONCE)]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return [(code, modules, files) for code, modules, files in json.loads(path.read_text())]


def test_all_names_that_no_training_has_are_told_together() -> None:
    known = ["promote.lr=0.1", "promote.stage1.strength=1"]
    given = ["promote.sise=64", "promote.store_side=3", *known]
    words = r"promote: unknown parameter 'sise'.* mean size.*; nor are there promote\.store_side$"
    with pytest.raises(InputError, match=words):
        check_parameters(parse(PromoteConfig, given))
    with pytest.raises(InputError, match=r"^data\.baseline: unknown parameter 'lrr'"):
        check_parameters(parse(TrainConfig, ["data.baseline.lrr=1", "fix.lr=1"]))
    check_parameters(parse(ShowConfig, []))


@pytest.mark.parametrize("number", range(len(TOLD_AT_ONCE)), ids=lambda i: TOLD_AT_ONCE[i][0])
def test_what_is_mistyped_is_told_before_anything_heavy_is_imported(
    number: int, told: list[tuple[int, list[str], list[str]]]
) -> None:
    """Half a second on an idle machine: that no heavy library is imported does not depend on it."""
    code, modules, files = told[number]
    assert code == (0 if TOLD_AT_ONCE[number][1] == ["--help"] else 2)
    assert not HEAVY & set(modules)
    assert not files


def test_a_process_that_ends_looks_for_no_garbage() -> None:
    """Python would look through all that was imported, which takes seconds after the last line."""
    script = (
        "import atexit, gc, runpy, sys\n"
        "atexit.register(lambda: print('left', len(gc.get_objects())))\n"
        "sys.argv[1:] = ['--help']\n"
        "runpy.run_module('search.run', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    word, left = done.stdout.splitlines()[-1].split()
    assert word == "left"
    assert int(left) < 100


def test_records_are_read_without_anything_heavy(tmp_path: Path) -> None:
    """A thousand trials in a second on an idle machine, most of which would be imports."""
    made = tmp_path / "runs/digits/golden"
    made.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "assets/search/ledger.jsonl", made)
    cases, path = json.dumps([("show", ["golden"])]), tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "-c", IN_TURN, str(path), cases],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    ((code, modules, _),) = json.loads(path.read_text())
    assert code == 0, done.stderr
    heavy = {"cv2", "optuna", "scipy.stats", *HEAVY} - {"scipy"}  # which has its parts when used
    assert heavy.isdisjoint(modules), heavy.intersection(modules)
