"""What stands for DVC's command and for a champion, where a test needs files of neither."""

from dvc.repo import Repo

from fer.files import sha256
from fer.paths import Paths
from fer.records import Parent


def track(paths: Paths, file: object) -> None:
    """Do what `dvc add` does, in this process."""
    with Repo(str(paths.root)) as repo:
        repo.add(str(file), relink=False)


def pin_champion(paths: Paths, _: Parent | None, *, real: bool = False) -> Parent:
    """Pin files that stand for a champion's, which learnt from nobody."""
    for file in (paths.parent_weights, paths.parent):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(f"an older {file.name}".encode())
    return Parent(1, 0, sha256(paths.parent_weights), sha256(paths.parent), real)
