"""One name a step, code that stages depend on, files that git and DVC both see, whole texts."""

import ast
import itertools
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import grimp
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fer.cli import main
from fer.commands.steps import STEPS
from fer.params import Params
from fer.paths import Paths

ROOT: Final = Path(__file__).parents[1]
STAGES: Final[dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
MODULES: Final = {
    "capture": "fer.live.capture",
    "ingest": "fer.data.ingest",
    **{name: module for name, (module, _) in STEPS.items()},
}

Ignored = Callable[..., set[str]]

# -- names -----------------------------------------------------------------------------------


def test_dvc_has_a_stage_for_each_step_in_the_order_of_the_loop() -> None:
    assert list(STAGES) == list(STEPS)


@pytest.mark.parametrize("step", STAGES)
def test_a_stage_runs_the_step_of_its_name_with_the_params_of_its_name(step: str) -> None:
    assert STAGES[step]["cmd"] == f"python -m fer {step}"
    assert STAGES[step]["params"] == [step]


@pytest.mark.parametrize(("step", "module"), MODULES.items())
def test_a_steps_module_and_function_have_its_name(step: str, module: str) -> None:
    functions = [one.name for one in _tree(module).body if isinstance(one, ast.FunctionDef)]

    assert module.rsplit(".", 1)[1] == step
    assert step in functions


@pytest.mark.parametrize("step", [*MODULES, "serve"])
def test_a_step_has_a_command(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([step, "--help"])

    assert ended.value.code == 0
    assert f"fer {step}" in capsys.readouterr().out


@pytest.mark.parametrize("step", MODULES)
def test_a_step_has_a_section_of_settings(step: str) -> None:
    sections = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))

    assert step in sections
    assert step in {field.alias or name for name, field in Params.model_fields.items()}


@pytest.mark.parametrize("step", [name for name in MODULES if name != "capture"])
def test_a_step_has_a_prefect_task(step: str) -> None:
    assert getattr(import_module("pipelines.tasks"), step).name == step


# -- what a stage depends on -----------------------------------------------------------------

EXEMPT: Final = {
    # Messages, settings (DVC watches them itself) and places: editing them must not retrain.
    "fer.errors",
    "fer.params",
    "fer.paths",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("fer", cache_dir=None)


@pytest.mark.parametrize("step", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(graph: grimp.ImportGraph, step: str) -> None:
    listed = [path for path in STAGES[step].get("deps", []) if path.startswith("fer/")]

    wanted = _code(graph, STEPS[step][0])

    lines = "\n".join(f"      - {path}" for path in wanted)
    assert listed == wanted, f"In dvc.yaml, the code that `{step}` depends on should be:\n{lines}"


def _code(graph: grimp.ImportGraph, step: str) -> list[str]:
    """Return the files that `step` runs; a folder where it runs all of the folder's modules."""
    modules = {one for one in graph.modules if not graph.find_children(one)}
    run = (graph.find_upstream_modules(step) | {step}) & modules - EXEMPT
    whole = {
        one
        for one in graph.modules - modules - {"fer"}
        if (inside := graph.find_descendants(one) & modules) and inside <= run
    }
    apart = {one for one in run if not any(one.startswith(f"{each}.") for each in whole)}
    files = [f"{one.replace('.', '/')}.py" for one in apart]
    files += [one.replace(".", "/") for one in whole]
    return sorted(files + [name for one in apart for name in _texts(one)])


def _texts(module: str) -> list[str]:
    """Files beside a module that are no code, and that it names."""
    source = _file(module)
    beside = (one for one in source.parent.iterdir() if one.suffix not in ("", ".py", ".pyc"))
    named = (one for one in beside if one.name in source.read_text("utf-8"))
    return [one.relative_to(ROOT).as_posix() for one in named]


def test_what_python_compiles_is_no_dependency() -> None:
    # In a folder that is a dependency it would make each machine train again.
    lines = (ROOT / ".dvcignore").read_text("utf-8").splitlines()

    assert [line for line in lines if not line.startswith("#")] == ["__pycache__/"]


OUTSIDE: Final = {
    # The lock, the checkpoints and the record of answers are of this machine; the parent and the
    # shards are named by version.json with their bytes; the verdict belongs to the registry.
    "root", "lock", "checkpoints", "answers", "captures", "parent", "parent_weights",
    "verdict.json", "verdict.md",
}  # fmt: skip


@pytest.mark.parametrize("step", STAGES)
def test_a_stage_knows_every_file_that_its_module_names(step: str) -> None:
    stage = STAGES[step]
    known = {
        path
        for kind in ("deps", "outs", "metrics", "plots")
        for one in stage.get(kind, [])
        for path in ([one] if isinstance(one, str) else one)
    }

    assert _named(STEPS[step][0]) - known == set()


def _named(module: str) -> set[str]:
    """Files that the module reaches through `paths`, relative to the checkout."""
    paths = Paths(Path("/checkout"))
    reports = re.findall(r"""paths\.report\(f?"([^"]+)"\)""", _file(module).read_text("utf-8"))
    attributes = {
        one.attr
        for one in ast.walk(_tree(module))
        if isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and one.value.id == "paths"
    }
    places = [getattr(paths, one) for one in attributes - OUTSIDE - {"report"}]
    places += [paths.report(one) for one in set(reports) - OUTSIDE]
    return {one.relative_to(paths.root).as_posix() for one in places}


def test_each_file_is_made_by_one_stage(ignored: Ignored) -> None:
    made = [
        path
        for stage in STAGES.values()
        for kind in ("outs", "metrics", "plots")
        for one in stage.get(kind, [])
        for path in ([one] if isinstance(one, str) else one)
    ]

    assert len(made) == len(set(made))
    assert ignored(*made) == set(made)


# -- imports ---------------------------------------------------------------------------------


def test_help_and_refusals_come_at_once() -> None:
    heavy = {
        "cv2", "dvc", "fastapi", "great_expectations", "keras", "matplotlib", "mlflow", "numpy",
        "onnxruntime", "pandas", "prefect", "pyarrow", "sklearn", "tensorflow",
    }  # fmt: skip
    code = f"import sys, fer.cli; print({heavy} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("module", "library"),
    [("fer.privacy.sweep", "mlflow"), ("fer.registry.guard", "sklearn"),
     ("fer.registry.adopt", "sklearn"), ("fer.evaluation.fresh", "sklearn")],
)  # fmt: skip
def test_a_short_step_does_not_load_for_longer_than_it_works(module: str, library: str) -> None:
    code = f"import sys, {module}; sys.exit({library!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_packages_hold_a_docstring_alone() -> None:
    # A re-export of `train` would hide the module `train`.
    for file in (ROOT / "fer").rglob("__init__.py"):
        kinds = [type(one).__name__ for one in ast.parse(file.read_text("utf-8")).body]
        assert kinds == ["Expr"], file


# -- packaging, git --------------------------------------------------------------------------


def test_the_lock_file_covers_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = itertools.chain(project["dependencies"], *project["optional-dependencies"].values())
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pinned = {
        canonicalize_name(found[1]): found[2]
        for line in lines
        if (found := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line))
    }

    for each in map(Requirement, asked):
        assert canonicalize_name(each.name) in pinned, each
        assert each.specifier.contains(pinned[canonicalize_name(each.name)]), each


def test_git_sees_every_pointer_of_dvc(ignored: Ignored) -> None:
    here = {
        file.relative_to(ROOT).as_posix()
        for folder in ("data", "models")
        for file in (ROOT / folder).rglob("*.dvc")
    }
    made = {"data/captures/x.parquet.dvc", "models/parent.keras.dvc", "models/parent.onnx.dvc"}
    kept = {"data/version.json", "dvc.lock", "dvc.yaml", "fer/data/table.py"}

    assert ignored(*here, *made, *kept) == set()


def test_no_folder_that_holds_pointers_is_ignored(ignored: Ignored) -> None:
    # DVC no longer sees the pointers in such a folder, and `dvc gc` deletes the captures.
    assert ignored("data", "data/captures", "models") == set()
    # Nor by `/data/*` and an exception for the pointers, which git alone understands.
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert not [line for line in lines if re.fullmatch(r"/?(data|models)(/captures)?/\*\*?", line)]


def test_faces_models_and_the_registry_stay_out_of_git(ignored: Ignored) -> None:
    private = {
        "data/inbox/a.parquet", "data/quarantine/a.parquet", "data/captures/a.parquet",
        "models/parent.keras", "mlruns/mlflow.db", "reports/predictions.csv",
    }  # fmt: skip

    assert ignored(*private) == private


# -- texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda path: path.name
)
def test_no_text_was_left_half_merged(text: Path) -> None:
    assert not re.search(r"^(<{7}|>{7}) ", text.read_text("utf-8"), re.MULTILINE)


@pytest.fixture
def ignored(tmp_path: Path) -> Ignored:
    """Return a function that says which of some paths .gitignore hides."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for folder in ("data/captures", "models"):
        (tmp_path / folder).mkdir(parents=True)

    def check(*paths: str) -> set[str]:
        asked = subprocess.run(
            ["git", "check-ignore", "--no-index", *paths],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert asked.returncode in (0, 1), asked.stderr
        return set(asked.stdout.splitlines())

    return check


def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text("utf-8"))


def _file(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"
