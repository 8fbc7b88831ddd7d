"""What training sees is weighed as asked for, and what judges it is apart from it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from fer import params
from fer.data import table, version
from fer.data.balance import BalanceReport, balance
from fer.data.validate import RULES
from fer.emotions import EMOTIONS
from fer.errors import DataRefused, MissingData
from fer.files import read_json, sha256, write_json
from fer.paths import Paths
from fer.records import DataVersion, Decision, Parent, Shard

Faces = Callable[..., pd.DataFrame]

PARENT = Parent(1, 0, "ab", "cd", real=True)

MIX = ["happy"] * 60 + ["neutral"] * 40 + [e for e in EMOTIONS for _ in range(10)]
"""170 labels, 70 of them happy, 50 neutral, 10 of each other."""


@pytest.fixture
def data(paths: Paths, faces: Faces) -> Callable[..., None]:
    """Return a maker of a validated data version from tables of base faces and captures."""

    def make(
        base: pd.DataFrame,
        captures: pd.DataFrame | None = None,
        *said: Decision,
        refused: pd.DataFrame | None = None,
        parent: Parent | None = None,
    ) -> None:
        table.write(paths.base, base)
        shards = ()
        if captures is not None:
            file = paths.captures / "00001.parquet"
            table.write(file, captures)
            shards = (Shard(file.name, sha256(file), len(captures), 1),)
        version.write(paths.version, DataVersion(1, shards, said, parent))
        apart = faces(0) if refused is None else refused
        table.write(paths.refused, apart.assign(rules="a rule"), extra=RULES)
        write_json(paths.report("validation.json"), _seen(paths))

    return make


def _seen(paths: Paths) -> dict[str, object]:
    """What `validate` reports of the present data version."""
    digest = sha256(paths.version)
    return {"data_version": 1, "data_version_sha256": digest, "accepted": True}


@pytest.fixture
def base(faces: Faces) -> pd.DataFrame:
    split = ["train", "train", "train", "validation", "test"] * 34
    return faces(170, domain="base", source="fer2013", label=MIX, split=split)


@pytest.fixture
def captures(faces: Faces) -> pd.DataFrame:
    return faces(40, first=200, split=["train", "train", "train", "validation"] * 10)


def run(paths: Paths, **changes: Any) -> BalanceReport:
    settings = params.load(paths.params).balance
    return balance(settings.model_copy(update=changes), paths)


def tables(paths: Paths) -> dict[str, pd.DataFrame]:
    return {name: table.read(getattr(paths, name)) for name in ("train", "monitor", "validation")}


def ids(faces: pd.DataFrame) -> set[str]:
    return set(faces["id"])


# -- which faces -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["none", "undersample", "oversample", "weights"])
def test_a_seed_gives_its_tables_and_another_one_others(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame,
    method: str,
) -> None:  # fmt: skip
    data(base, captures, parent=PARENT)

    def made(seed: int) -> list[bytes]:
        run(paths, seed=seed, class_balance=method, replay_cap=30)
        return [getattr(paths, name).read_bytes() for name in ("train", "monitor", "validation")]

    first = made(1)
    assert made(1) == first
    assert made(2)[0] != first[0]
    assert made(2)[2] == first[2]  # the judge does not depend on the seed


def test_no_face_is_in_two_tables_and_each_keeps_its_side(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures)
    run(paths)
    made = tables(paths)
    everything = pd.concat([base, captures])
    side = {name: ids(everything[everything["split"] == name]) for name in ("train", "validation")}
    assert ids(made["validation"]) == side["validation"]
    assert ids(made["train"]) | ids(made["monitor"]) == side["train"]
    assert not ids(made["train"]) & ids(made["monitor"])


def test_the_test_faces_are_read_by_nothing(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame
) -> None:
    data(base)
    run(paths)
    hidden = ids(base[base["split"] == "test"])
    assert hidden
    assert not any(hidden & ids(made) for made in tables(paths).values())


def test_what_a_model_labelled_judges_nothing(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, faces: Faces
) -> None:
    people = faces(60, first=200, split=["train", "train", "validation"] * 20)
    # Of the same people, and of as many others; some as if they had been sorted wrongly.
    names = [*people["subject"], *[f"other-{number}" for number in range(60)]]
    split = ["train", "validation"] * 60
    models = faces(120, first=300, split=split, subject=names, label_source="model")
    judges = ("monitor", "validation")
    data(base, people)
    run(paths)
    alone = {name: getattr(paths, name).read_bytes() for name in judges}
    data(base, pd.concat([models, people], ignore_index=True))
    report = run(paths)
    assert {name: getattr(paths, name).read_bytes() for name in judges} == alone
    learnt, held = (table.read(one) for one in (paths.train, paths.monitor))
    assert (learnt["label_source"] == "model").sum() > 50
    assert not set(learnt["subject"]) & set(held["subject"].dropna())
    assert report.left_out["labelled by a model, of people held out"] > 0


def test_refused_and_rejected_faces_are_nowhere(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    refused = pd.concat([base[:5], captures[:5]], ignore_index=True)
    rejected = list(captures["id"][5:10])
    data(base, captures, *(Decision(face, "reject") for face in rejected), refused=refused)
    report = run(paths)
    gone = ids(refused) | set(rejected)
    assert not any(gone & ids(made) for made in tables(paths).values())
    assert report.left_out["refused by validate"] == 10


def test_a_relabelled_face_is_learnt_under_its_new_label(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    face = captures["id"][3]
    data(base, captures, Decision(face, "accept", "disgust"))
    run(paths)
    assert tables(paths)["validation"].set_index("id")["label"][face] == "disgust"


def test_of_a_base_face_and_its_refused_capture_the_base_face_stays(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, faces: Faces
) -> None:
    copy = faces(1, split="train", label=MIX[0])
    data(base, copy, refused=copy)
    run(paths)
    made = pd.concat(tables(paths).values())
    assert list(made.loc[made["id"] == base["id"][0], "domain"]) == ["base"]


# -- the monitor -----------------------------------------------------------------------------


def test_nobody_is_in_training_and_in_the_monitor(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, faces: Faces
) -> None:
    # Each person before two cameras, in unequal numbers: the domains fill up at other people.
    names = [f"p{number % 20}" for number in range(200)]
    domain = ["home" if number * number % 7 < 2 else "office" for number in range(200)]
    captures = faces(200, first=200, subject=names, domain=domain, split="train")
    data(base.assign(subject=None, session=None), captures)
    for seed in range(10):
        run(paths, seed=seed, monitor_share=0.3)
        made = tables(paths)
        assert not set(made["train"]["subject"].dropna()) & set(
            made["monitor"]["subject"].dropna()
        )
        assert len(made["monitor"]) > 20


def test_the_monitor_has_its_share_of_every_domain(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures)
    report = run(paths, monitor_share=0.2)
    assert report.monitor == {"base": 20, "office": 6}


def test_a_session_of_nobody_named_stays_together(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, faces: Faces
) -> None:
    sessions = [f"s{number % 10}" for number in range(60)]
    data(base, faces(60, first=200, subject=None, session=sessions, split="train"))
    run(paths, monitor_share=0.3)
    made = tables(paths)
    held = set(made["monitor"]["session"]) & set(sessions)
    assert held
    assert not held & set(made["train"]["session"])


# -- classes ---------------------------------------------------------------------------------


def learnt(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, method: str
) -> pd.DataFrame:
    data(base.assign(split="train"))
    run(paths, class_balance=method)
    return tables(paths)["train"]


def test_without_balancing_every_face_counts_once(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame
) -> None:
    train = learnt(paths, data, base, "none")
    assert (train[["draw", "weight"]] == 1).all(axis=None)
    assert train["label"].value_counts().max() > 50


def test_undersampling_leaves_as_many_of_each(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame
) -> None:
    train = learnt(paths, data, base, "undersample")
    assert train["label"].value_counts().nunique() == 1
    assert set(train["label"]) == set(EMOTIONS)
    assert (train[["draw", "weight"]] == 1).all(axis=None)


@pytest.mark.parametrize(("method", "column"), [("oversample", "draw"), ("weights", "weight")])
def test_the_other_methods_make_the_emotions_count_alike(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, method: str, column: str
) -> None:
    train = learnt(paths, data, base, method)
    sums = train.groupby("label")[column].sum()
    assert sums.to_list() == pytest.approx([len(train) / 7] * 7)
    assert (train[{"draw": "weight", "weight": "draw"}[column]] == 1).all()
    assert train["label"].value_counts().max() > 50


def test_the_report_says_what_an_epoch_shows(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame
) -> None:
    train = learnt(paths, data, base, "oversample")
    report = read_json(paths.report("balance.json"))
    assert list(report["shown"].values()) == pytest.approx([len(train) / 7] * 7, rel=1e-5)
    assert report["data_version_sha256"] == sha256(paths.version)


# -- an update -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["none", "undersample", "oversample", "weights"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_new_faces_make_the_share_that_was_asked_for(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame,
    method: str, share: float,
) -> None:  # fmt: skip
    data(base, captures, parent=PARENT)
    report = run(paths, class_balance=method, new_share=share)
    train = tables(paths)["train"]
    assert train.loc[train["new"], "draw"].sum() / train["draw"].sum() == pytest.approx(share)
    assert report.new_share == pytest.approx(share)
    assert ids(train[train["new"]]) <= ids(captures)


@pytest.mark.parametrize("method", ["none", "oversample", "weights"])
@pytest.mark.parametrize("times", [0.5, 3.0])
def test_an_epoch_shows_a_new_face_as_often_as_asked_for_however_few_there_are(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame,
    method: str, times: float,
) -> None:  # fmt: skip
    for count in (30, 40):
        data(base, captures[:count], parent=PARENT)
        run(paths, class_balance=method, new_draws=times, replay_cap=1000)
        train = tables(paths)["train"]
        assert train.loc[train["new"], "draw"].mean() == pytest.approx(times)


def test_few_new_faces_rehearse_few_known_ones(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures, parent=PARENT)
    report = run(paths, new_share=0.5, new_draws=2.0)
    assert report.rehearsed == 2 * report.new


def test_an_epoch_shows_no_more_faces_than_the_new_ones_and_the_cap(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures, parent=PARENT)
    report = run(paths, new_draws=1000.0, replay_cap=21)
    assert tables(paths)["train"]["draw"].sum() == pytest.approx(report.new + 21)


def test_no_more_is_rehearsed_than_the_cap(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures, parent=PARENT)
    report = run(paths, replay_cap=21)
    train = tables(paths)["train"]
    assert (~train["new"]).sum() == report.rehearsed == 21
    assert train["new"].sum() == report.new > 20
    assert report.left_out["replay cap or undersampling"] > 0


def test_without_a_parent_all_is_new_and_nothing_is_capped(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures)
    report = run(paths, replay_cap=21)
    assert (report.rehearsed, report.left_out["replay cap or undersampling"]) == (0, 0)


def test_with_a_parent_and_nothing_new_all_is_rehearsed(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame
) -> None:
    data(base, parent=PARENT)
    report = run(paths)
    assert (report.new, report.new_share) == (0, 0)
    assert report.rehearsed == len(tables(paths)["train"])


def test_a_domain_that_nothing_judges_is_noted(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, faces: Faces
) -> None:
    data(base, faces(10, first=200, split="train", domain="attic"))
    assert [note.split()[0] for note in run(paths).notes] == ["attic"]


# -- what it refuses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"data_version_sha256": "another one of that number"}, {"accepted": False}]
)
def test_a_version_that_validate_did_not_accept_is_refused(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, change: dict[str, object]
) -> None:
    data(base)
    write_json(paths.report("validation.json"), _seen(paths) | change)
    with pytest.raises(DataRefused, match="dvc repro"):
        run(paths)
    assert not paths.train.exists()


def test_a_missing_shard_is_refused(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame, captures: pd.DataFrame
) -> None:
    data(base, captures)
    (paths.captures / "00001.parquet").unlink()
    with pytest.raises(MissingData, match="dvc pull"):
        run(paths)


def test_too_few_people_to_hold_some_out_are_refused(
    paths: Paths, data: Callable[..., None], base: pd.DataFrame
) -> None:
    data(base.assign(subject="ana", split=["train"] * 169 + ["validation"]))
    with pytest.raises(DataRefused, match="monitor_share"):
        run(paths)


def test_a_parent_of_drawn_faces_is_not_taught_real_ones(
    data: Callable[..., None], paths: Paths, base: pd.DataFrame
) -> None:
    data(base, parent=dataclasses.replace(PARENT, real=False))

    with pytest.raises(DataRefused, match="knows real faces"):
        run(paths)

    assert not paths.train.exists()
