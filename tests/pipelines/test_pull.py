"""An update that was killed does not stop the pull of the next one."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from dvc.repo import Repo

from fer.paths import Paths
from pipelines import commands, tasks

STAGE = """\
stages:
  tell:
    cmd: python -c "open('told.txt', 'w').write('told')"
    outs: [told.txt]
"""


def test_what_a_killed_stage_left_gives_way(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    root = paths.root
    (root / "dvc.yaml").write_text(STAGE, encoding="utf-8")
    with (root / ".dvc" / "config").open("a", encoding="utf-8") as config:
        config.write("    remote = beside\n['remote \"beside\"']\n    url = ../../remote\n")
    monkeypatch.chdir(root)
    with Repo(str(root)) as repo:
        repo.reproduce("tell")
        repo.push()
    (root / "told.txt").write_text("told of faces that DVC has not seen yet", encoding="utf-8")
    monkeypatch.setattr(tasks, "PATHS", paths)
    monkeypatch.setattr(commands, "ROOT", Path(root))
    monkeypatch.setattr(commands, "get_run_logger", lambda: SimpleNamespace(info=print))

    tasks.pull.fn()

    assert (root / "told.txt").read_text("utf-8") == "told"
