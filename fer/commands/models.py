"""Models, and the search for better ones: `fer models`, `litert`, `tune`."""

from argparse import ArgumentParser, Namespace
from importlib import import_module
from typing import Any, Final

from fer.commands.command import Command, path
from fer.commands.output import held_back_stderr, tell
from fer.paths import Paths


def _models_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    rollback = actions.add_parser("rollback", help="give the champion's place back")
    rollback.add_argument("version", type=int, nargs="?", help="default: the previous champion")
    compare = actions.add_parser("compare", help="two versions on the validation faces, now")
    compare.add_argument("first", type=int)
    compare.add_argument("second", type=int)
    shadow = actions.add_parser("shadow", help="a version that answers unseen beside the champion")
    shadow.add_argument("version", type=_version_or_none, help="its number, or none")
    votes = actions.add_parser("feedback", help="what people labelled since: who reads it better?")
    votes.add_argument("--act", action="store_true", help="roll back where that is decided")


def _version_or_none(text: str) -> int | None:
    return None if text == "none" else int(text)


def _models(options: Namespace, paths: Paths) -> int:
    from fer.registry import listing, versions

    if options.action == "rollback":
        from fer.live import notices

        before, after = versions.rollback(paths, options.version)
        notices.rolled_back(paths, before, after)
        print(f"champion  version {after}, was {before}; a re-run does not undo this")
    elif options.action == "compare":
        from fer import params

        judged = params.load(paths.params).promote
        print(listing.compared(paths, options.first, options.second, judged))
    elif options.action == "shadow":
        versions.cast_shadow(paths, options.version)
        print(f"shadow    {'none' if options.version is None else f'version {options.version}'}")
    elif options.action == "feedback":
        return _feedback(paths, act=options.act)
    else:
        print(listing.table(paths))
    return 0


def _feedback(paths: Paths, *, act: bool) -> int:
    from fer import params
    from fer.records import LOST
    from fer.registry import feedback

    checked = params.load(paths.params)
    found = feedback.feedback(checked.ingest, paths)
    for one in found:
        print(one)
    if not found:
        print("No version to hold against the champion: none before it, and no shadow.")
    chance = checked.feedback.false_rollbacks
    lost = feedback.defend(found, chance, paths) if act and chance is not None else None
    if lost is None:
        return 0
    print(f"champion  version {lost.version}, was {lost.champion}: rolled back by votes")
    return LOST


def _litert_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=path, help="file to write, such as emotions.tflite")
    parser.add_argument("--model", type=path, help="this Keras file, not the candidate's")


def _litert(options: Namespace, paths: Paths) -> None:
    from fer.emotions import EMOTIONS

    with held_back_stderr():
        litert = import_module("fer.model.litert")
    difference = litert.export(options.model or paths.candidate_weights, options.path)
    print(f"written   {options.path}, answers within {difference:.1g} of the network's")
    print(f"labels    {' '.join(EMOTIONS)}")


def _tune_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--trials", type=int, default=20, help="how many to run now (default: 20)")
    parser.add_argument("--apply", action="store_true", help="write the best into params.yaml")


def _tune(options: Namespace, paths: Paths) -> None:
    from fer import params

    checked = params.load(paths.params).train
    with held_back_stderr():
        tuning = import_module("fer.training.tune")
    trials = import_module("fer.registry.trials")

    def told(trial: Any) -> None:
        state = trial.state.name.lower()
        print(f"trial {trial.number:3} {state:9} {trial.value} {trial.params}", flush=True)
        trials.log(
            paths,
            name=f"trial {trial.number}",
            state=state,
            settings=trial.params,
            curve=trial.intermediate_values,
        )

    report = tuning.tune(checked, paths, options.trials, told)
    tell(report)
    if options.apply:
        tuning.apply(report, paths.params)
        print(f"written              train.* in {paths.params}")


COMMANDS: Final = {
    "models": Command(
        "versions: list, rollback, compare, shadow, feedback", _models, _models_arguments
    ),
    "litert": Command(
        "the candidate as LiteRT, for phones and boards", _litert, _litert_arguments
    ),
    "tune": Command("search training settings on the present tables", _tune, _tune_arguments),
}
