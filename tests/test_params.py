"""params.yaml is checked once, and a fault is named by its key."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from fer import params
from fer.errors import ParamsError
from fer.paths import Paths


def changed(paths: Paths, key: str, value: Any) -> None:
    """Set `key`, such as "train.epochs", in params.yaml."""
    settings = yaml.safe_load(paths.params.read_text(encoding="utf-8"))
    *sections, last = key.split(".")
    section = settings
    for name in sections:
        section = section[name]
    section[last] = value
    paths.params.write_text(yaml.safe_dump(settings), encoding="utf-8")


def test_the_shipped_settings_load(paths: Paths) -> None:
    shipped = params.load(paths.params)
    # The whole loop runs on a fresh machine, without a download.
    assert (shipped.base.source, shipped.base.path) == ("synthetic", None)
    assert isinstance(shipped.train.widths, tuple)


def test_settings_cannot_be_changed_afterwards(paths: Paths) -> None:
    shipped = params.load(paths.params)
    with pytest.raises(ValidationError, match="frozen"):
        shipped.train.epochs = 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        # unknown
        ("train.epoch", 3), ("trian", {}), ("base.synthetic.cameras", "studio"),
        # another type
        ("train.epochs", "3"), ("train.epochs", 3.0), ("train.epochs", True),
        ("train.learning_rate", "1e-3"), ("balance.seed", None), ("base.keep_copies", 1),
        ("train.widths", 24), ("validate.brightness", [20]), ("capture.detector", 3),
        ("base", None), ("promote", []),
        # out of range
        ("train.epochs", 0), ("train.widths", [24, 0]), ("train.widths", []),
        ("train.widths", [8, 8, 8, 8, 8, 8]), ("train.network", "vgg19"),
        ("train.transfer.unfreeze", 1.1), ("train.transfer.head_epochs", 0),
        ("train.dropout", 1.5), ("train.learning_rate", 0), ("train.learning_rate", float("nan")),
        ("train.learning_rate", float("inf")), ("base.source", "fer2014"),
        ("ingest.near_copy", 1.01), ("ingest.validation_share", -0.1),
        ("ingest.group_by", "domain"),
        ("balance.monitor_share", 0.5), ("balance.class_balance", "both"), ("balance.seed", -1),
        ("promote.confidence", 1), ("promote.resamples", 10), ("update.retries", -1),
        ("validate.brightness", [20, 256]), ("validate.brightness", [-1, 235]),
        ("validate.brightness", [235, 20]), ("validate.min_contrast", -1),
        ("validate.min_sharpness", float("nan")), ("validate.min_per_class", -1),
        ("validate.max_label_shift", -0.1),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_by_its_key(paths: Paths, key: str, value: Any) -> None:
    changed(paths, key, value)
    with pytest.raises(ParamsError, match=rf"\b{key}\b"):
        params.load(paths.params)


def test_weights_for_a_network_that_cannot_take_them_are_refused(paths: Paths) -> None:
    changed(paths, "train.transfer.weights", "imagenet")
    with pytest.raises(ParamsError, match=r"train\.transfer.*Keras Applications"):
        params.load(paths.params)
    changed(paths, "train.network", "mobilenetv2")
    assert params.load(paths.params).train.transfer.weights == "imagenet"


def test_a_missing_setting_is_named(paths: Paths) -> None:
    settings = yaml.safe_load(paths.params.read_text(encoding="utf-8"))
    del settings["train"]["epochs"]
    paths.params.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with pytest.raises(ParamsError, match=r"train\.epochs: Field required"):
        params.load(paths.params)


def test_all_faults_are_named_at_once(paths: Paths) -> None:
    changed(paths, "train.epochs", 0)
    changed(paths, "promote.seed", -1)
    with pytest.raises(ParamsError, match=r"(?s)train\.epochs.*promote\.seed"):
        params.load(paths.params)


def test_what_was_received_is_shown(paths: Paths) -> None:
    changed(paths, "train.epochs", "many")
    with pytest.raises(ParamsError, match=r"Received: 'many'"):
        params.load(paths.params)


@pytest.mark.parametrize("text", [b"", b"- 1\n", b"just text", b"a: [1", b"\tx: 1", b"\xff\xfe"])
def test_what_is_no_mapping_is_refused(paths: Paths, text: bytes) -> None:
    paths.params.write_bytes(text)
    with pytest.raises(ParamsError, match="xpected"):
        params.load(paths.params)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="found nothing"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: *a", "&a [*a]", "[" * 5000, "a: 2001-99-99", "a: !!int ''", "a: 0b_",
        "a: !!timestamp x", "a: " + "9" * 5000, "a: 0x" + "f" * 9000,
        "!!python/object/apply:os.getcwd []", "a: " + "1:" * 200 + "1.", "#" * 100_001,
    ],
)  # fmt: skip
def test_what_would_fill_the_memory_or_is_no_value_is_refused(paths: Paths, text: str) -> None:
    paths.params.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=r"params\.yaml"):
        params.load(paths.params)
