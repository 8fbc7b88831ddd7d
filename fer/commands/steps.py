"""The stages that DVC runs: `fer base`, `validate`, `balance`, `train`, `evaluate`, `promote`."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Final

from fer.commands.command import Command, path
from fer.commands.output import held_back_stderr, tell
from fer.errors import FerError
from fer.paths import Paths

STEPS: Final = {
    "base": ("fer.data.base", "FER2013, FER+ or synthetic faces as one table"),
    "validate": ("fer.data.validate", "Great Expectations over base and captures"),
    "balance": ("fer.data.balance", "new faces and rehearsed ones, weighed"),
    "train": ("fer.training.train", "from the parent to a candidate"),
    "evaluate": ("fer.evaluation.evaluate", "the candidate on the validation faces"),
    "promote": ("fer.registry.promote", "the gate; moves the champion alias or says why not"),
}
"""Steps that take their params section and the paths: module and help, by name."""


def _step(options: Namespace, paths: Paths) -> None:
    from fer import params

    section = "validate_" if options.command == "validate" else options.command
    checked = getattr(params.load(paths.params), section)
    with held_back_stderr():
        module = import_module(STEPS[options.command][0])
    tell(getattr(module, options.command)(checked, paths))


def _evaluate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--split", choices=["validation", "test"],
        help="instead: a model on FER2013's PublicTest or PrivateTest as published, for people",
    )  # fmt: skip
    parser.add_argument("--model", type=path, help="with --split: ONNX file (the candidate)")
    parser.add_argument("--data", type=path, help="with --split: FER2013 (params' base.path)")


def _evaluate(options: Namespace, paths: Paths) -> None:
    if options.split is None:
        if options.model or options.data:
            raise FerError("Expected --split with --model or --data, received none.")
        _step(options, paths)
        return
    from fer import params
    from fer.evaluation.official import as_text, official
    from fer.files import write_json

    # base.path is relative to the root, where the process stands.
    base = params.load(paths.params).base.path
    data = options.data or (Path(base).expanduser() if base else None)
    if data is None:
        raise FerError(
            "Expected FER2013's csv, zip or folder, received none. Give --data, or set base.path "
            "in params.yaml."
        )
    report = official(options.model or paths.candidate, data, options.split)
    write_json(paths.report(f"official-{options.split}.json"), asdict(report))
    for line in as_text(report):
        print(line)


COMMANDS: Final = {
    **{name: Command(told, _step) for name, (_, told) in STEPS.items()},
    "evaluate": Command(STEPS["evaluate"][1], _evaluate, _evaluate_arguments),
}
"""The steps in the order of the loop; `evaluate` can do more."""
