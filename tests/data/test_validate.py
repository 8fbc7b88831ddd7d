"""Bad faces are set apart with their rules, a bad batch stops everything, and both are shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer import params
from fer.data import table, version
from fer.data.validate import ValidateReport, validate
from fer.errors import DataRefused, MissingData
from fer.files import read_json, sha256
from fer.paths import Paths
from fer.records import DataVersion, Decision, Parent, Shard

Faces = Callable[..., pd.DataFrame]

PARENT = Parent(1, 0, "ab", "cd")


@pytest.fixture
def base(paths: Paths, faces: Faces) -> pd.DataFrame:
    """Ten training and four validation faces of each emotion as the base table."""
    split = ["train"] * 70 + ["validation"] * 28
    made = faces(98, domain="base", source="fer2013", split=split, session=None)
    table.write(paths.base, made)
    return made


def cut(paths: Paths, captures: pd.DataFrame, *decisions: Decision, **fields: Any) -> None:
    """Make a data version 1 of these captures."""
    file = paths.captures / "00001.parquet"
    table.write(file, captures)
    shard = Shard(file.name, sha256(file), len(captures), 1)
    version.write(paths.version, DataVersion(1, (shard,), decisions, **fields))


def run(paths: Paths, **changes: Any) -> ValidateReport:
    settings = params.load(paths.params).validate_
    return validate(settings.model_copy(update=changes), paths)


def refused(paths: Paths) -> dict[str, str]:
    apart = table.read(paths.refused)
    return dict(zip(apart["id"], apart["rules"], strict=True))


def pictures(pixels: np.ndarray) -> dict[str, object]:
    """Columns of a face with these pixels."""
    return {"image": table.encode(pixels[None])[0], "id": table.face_id(pixels)}


def dark(faces: Faces) -> dict[str, object]:
    return pictures(table.decode(faces(1, first=900)["image"])[0] // 8)


# -- accepted --------------------------------------------------------------------------------


def test_sound_data_are_accepted_and_counted(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    cut(paths, faces(7, first=100, split="train"))
    report = run(paths)
    assert (report.accepted, report.data_version, report.faces, report.refused) == (
        True,
        1,
        105,
        0,
    )
    assert report.counts["base"]["train"]["happy"] == 10
    assert report.counts["office"] == {"train": dict.fromkeys(report.counts["base"]["train"], 1)}
    assert refused(paths) == {}
    assert all(rule["holds"] for rule in report.rules)


def test_the_log_says_which_faces_were_refused_by_what(
    paths: Paths, faces: Faces, base: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    cut(paths, faces(1, first=900, split="train").assign(**dark(faces)))
    with caplog.at_level("INFO", logger="fer"):
        run(paths)
    (face,) = refused(paths)
    (line,) = (one for one in caplog.messages if "brightness" in one)
    assert line == f"data version 1: be_between brightness refuses 1 faces: {face[:12]}"


def test_what_the_clock_says_changes_nothing(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    later = datetime.now(UTC) + timedelta(days=500)
    consent = {"text": "1", "purpose": "training", "given_at": later,
               "expires_at": later + timedelta(days=1)}  # fmt: skip
    cut(paths, faces(7, first=100, split="train", source="webcam", captured_at=later,
                     consent=consent))  # fmt: skip
    run(paths)
    # DVC sees the same files when the clock is right again, and would not ask again.
    assert refused(paths) == {}


def test_base_alone_is_enough(paths: Paths, base: pd.DataFrame) -> None:
    assert run(paths).faces == 98


def test_the_report_is_what_is_returned(paths: Paths, base: pd.DataFrame) -> None:
    report = run(paths)
    written = read_json(paths.report("validation.json"))
    assert written["accepted"] is True
    assert written["counts"] == report.counts
    assert [rule["rule"] for rule in written["rules"]] == [rule["rule"] for rule in report.rules]


# -- faces -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("brightness", dark),
        ("contrast", lambda _: pictures(np.full((48, 48), 128, np.uint8))),
        ("captured_at", lambda _: {"captured_at": datetime(1970, 1, 1, tzinfo=UTC)}),
        ("consented", lambda _: {"source": "webcam"}),
        ("label", lambda _: {"label": "smug"}),
        ("label", lambda _: {"label": None}),
        ("split", lambda _: {"split": None}),
    ],
)
def test_a_bad_face_is_set_apart_with_its_rule_and_the_others_go_on(
    paths: Paths, faces: Faces, base: pd.DataFrame, rule: str,
    fault: Callable[[Faces], dict[str, object]],
) -> None:  # fmt: skip
    bad = faces(1, first=100, **{"split": "train", **fault(faces)})
    cut(paths, pd.concat([bad, faces(3, first=101, split="train")], ignore_index=True))
    report = run(paths)
    assert (report.accepted, report.refused) == (True, 1)
    assert list(refused(paths)) == list(bad["id"])
    assert rule in refused(paths)[bad["id"][0]]
    assert sum(report.counts["office"]["train"].values()) == 3


def test_all_broken_rules_of_a_face_are_told(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    flat = pictures(np.full((48, 48), 3, np.uint8))
    cut(paths, faces(1, first=100, split="train", **flat))
    run(paths)
    (rules,) = refused(paths).values()
    assert all(name in rules for name in ("brightness", "contrast", "sharpness"))


def test_a_capture_of_a_base_face_is_set_apart(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    cut(paths, faces(1, split="train"))
    run(paths)
    assert "in_base" in refused(paths)[base["id"][0]]


def test_what_a_person_accepted_passes_the_rules_on_its_picture(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    bad = faces(1, first=100, split="train", **dark(faces))
    cut(paths, bad, Decision(bad["id"][0], "accept"))
    assert run(paths).refused == 0


def test_what_a_person_accepted_passes_no_other_rule(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    bad = faces(1, first=100, split="train", source="webcam")
    cut(paths, bad, Decision(bad["id"][0], "accept"))
    run(paths)
    assert "consented" in refused(paths)[bad["id"][0]]


def test_what_a_person_rejected_is_not_even_looked_at(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    bad = faces(1, first=100, split="train", **dark(faces))
    cut(paths, bad, Decision(bad["id"][0], "reject"))
    report = run(paths)
    assert (report.faces, report.refused) == (98, 0)


# -- batches ---------------------------------------------------------------------------------


def assert_refused(paths: Paths, *named: str, **changes: Any) -> None:
    """Refused by an error that names the rule, after report and page were written."""
    with pytest.raises(DataRefused) as caught:
        run(paths, **changes)
    assert all(name in str(caught.value) for name in named)
    assert read_json(paths.report("validation.json"))["accepted"] is False
    assert ">refused<" in paths.report("validation.html").read_text(encoding="utf-8")
    assert paths.refused.is_file()


def test_too_few_faces_of_an_emotion_stop_everything(paths: Paths, base: pd.DataFrame) -> None:
    assert_refused(paths, "train_faces", "min_value 11", "7 of 7 failed", min_per_class=11)


def test_refused_faces_do_not_count_for_their_emotion(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    spoilt = base.copy()
    spoilt.loc[3, ["image", "id"]] = list(dark(faces).values())
    table.write(paths.base, spoilt)
    assert_refused(paths, "train_faces", "happy")


def test_a_shifted_label_mix_stops_everything(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    cut(paths, faces(200, first=100, split="train", label="happy"), parent=PARENT)
    assert_refused(paths, "kl_divergence", "threshold 0.1")


def test_without_a_parent_there_is_no_shift(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    cut(paths, faces(200, first=100, split="train", label="happy"))
    assert run(paths).accepted


def test_a_session_on_two_sides_stops_everything(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    cut(paths, faces(2, first=100, subject=None, session="monday", split=["train", "validation"]))
    assert_refused(paths, "sides", "office/monday")


def test_two_people_of_one_session_may_be_on_two_sides(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    # Ingest groups by person; a session may show several.
    cut(paths, faces(2, first=100, session="monday", split=["train", "validation"]))
    assert run(paths).accepted


def test_a_missing_shard_stops_everything(paths: Paths, faces: Faces, base: pd.DataFrame) -> None:
    cut(paths, faces(2, first=100, split="train"))
    (paths.captures / "00001.parquet").unlink()
    with pytest.raises(MissingData, match="dvc pull"):
        run(paths)


# -- the page --------------------------------------------------------------------------------


def test_names_from_outside_are_shown_and_not_obeyed(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    hostile = "<script>alert('x')</script>\"'&"
    both = pd.concat([
        faces(1, first=100, split="train", domain=hostile),
        faces(1, first=101, split="train", domain=hostile, label=hostile),
    ], ignore_index=True)  # fmt: skip
    cut(paths, both)
    run(paths)
    page = paths.report("validation.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 2


def test_the_page_needs_nothing_from_elsewhere(
    paths: Paths, faces: Faces, base: pd.DataFrame
) -> None:
    cut(paths, faces(1, first=100, split="train", **dark(faces)))
    run(paths)
    page = paths.report("validation.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert not any(word in page for word in ("http:", "https:", 'src="/', "<link", "@import"))
