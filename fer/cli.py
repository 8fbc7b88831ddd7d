"""`fer STEP`: loads a step's module when it runs, so that help and refusals come at once."""

import argparse
import contextlib
import logging
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pathlib import Path
from textwrap import indent
from typing import Any, Final

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

_MARKS: Final = {"ok": "✓", "warning": "!", "problem": "✗"}

_QUIET: Final = {
    # Libraries that would otherwise report to their makers, or fill the log.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # It calls an absent camera an error; what is asked of it says so in a sentence.
    "OPENCV_LOG_LEVEL": "FATAL",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1 with one clear message, or the command's.

    Only `drift` has one of its own.
    """
    options = _parser().parse_args(arguments)
    console = logging.StreamHandler()
    # On the handler: libraries lower the level of their own loggers.
    console.setLevel(logging.WARNING)
    logging.basicConfig(format="fer: %(message)s", handlers=[console])
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        paths = Paths.find(Path.cwd())
        # Paths in params.yaml and in the registry are relative to the root.
        os.chdir(paths.root)
        status: int | None = options.run(options, paths)
    except FerError as error:
        print(f"fer {options.command}: {error}", file=sys.stderr)
        return 1
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer", description="Continual learning for facial emotion recognition."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, add in _COMMANDS.items():
        add(commands, name)
    return parser


def _add_step(commands: Any, name: str) -> None:
    commands.add_parser(name, help=STEPS[name][1]).set_defaults(run=_step)


def _step(options: argparse.Namespace, paths: Paths) -> None:
    from fer import params

    section = "validate_" if options.command == "validate" else options.command
    checked = getattr(params.load(paths.params), section)
    with _held_back_stderr():
        module = import_module(STEPS[options.command][0])
    _tell(getattr(module, options.command)(checked, paths))


@contextlib.contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Keep back what TensorFlow's C++ says of absent GPUs while it loads, unless loading fails."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _add_evaluate(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help=STEPS[name][1])
    parser.add_argument(
        "--split", choices=["validation", "test"],
        help="instead: a model on FER2013's PublicTest or PrivateTest as published, for people",
    )  # fmt: skip
    parser.add_argument("--model", type=_path, help="with --split: ONNX file (the candidate)")
    parser.add_argument("--data", type=_path, help="with --split: FER2013 (params' base.path)")
    parser.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace, paths: Paths) -> None:
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


def _add_ingest(commands: Any, name: str) -> None:
    commands.add_parser(name, help="the inbox into a new data version").set_defaults(run=_ingest)


def _ingest(_: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.data.ingest import ingest
    from fer.files import locked

    checked = params.load(paths.params)

    def pin_champion(where: Paths, pinned: Any) -> Any:
        # Loads MLflow, which takes a second: only when there is something to cut.
        adopt = import_module("fer.registry.adopt")
        # It may move the alias, which a promotion that runs has read.
        with locked(where.lock("promote")):
            return adopt.pin_champion(where, pinned, real=checked.base.source != "synthetic")

    def hold_back(faces: Any) -> Any:
        return import_module("fer.registry.guard").hold_back(faces, checked.ingest, paths)

    _tell(ingest(checked.ingest, paths, pin_champion, hold_back))


def _add_import(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="labelled pictures into the inbox")
    parser.add_argument("path", type=_path, help="a folder per label, or a csv of path,label")
    parser.add_argument("--domain", required=True, help="camera, room or data set")
    parser.add_argument("--name", help="source name (default: the folder's or file's)")
    parser.add_argument("--subject-pattern", metavar="REGEX", help="finds the person in a path")
    parser.add_argument("--aligned", action="store_true", help="pictures are faces already")
    parser.set_defaults(run=_import)


def _import(options: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.data import inbox
    from fer.data.importing import import_faces
    from fer.faces.detect import Detector, chosen
    from fer.records import now

    checked = params.load(paths.params).capture
    found = import_faces(
        options.path,
        domain=options.domain,
        name=options.name,
        subject_pattern=options.subject_pattern,
        aligned=options.aligned,
        detector=Detector(chosen(checked, paths)),
        now=now(),
    )
    for problem in found.problems:
        print(f"left out  {problem.path}: {problem.reason}")
    if len(found.faces):
        inbox.put(paths.inbox, found.faces)
    print(f"imported  {len(found.faces)} faces, {len(found.problems)} left out")
    if found.crowded:
        print(f"crowded   {found.crowded} pictures show more than one face: the largest was taken")


def _add_capture(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="faces of a camera or film into the inbox")
    parser.add_argument(
        "source", type=_source, help="camera number, film, stream, folder or synthetic:CAMERA"
    )
    parser.add_argument("--domain", help="camera or room (default: the source)")
    parser.add_argument("--label", help="what the person shows; a synthetic camera knows it")
    parser.add_argument("--subject", help="pseudonym of the person")
    parser.add_argument("--faces", type=int, default=20, help="how many to take (default: 20)")
    parser.add_argument("--step", type=int, default=10, help="take each N-th frame (default: 10)")
    parser.add_argument("--consent", action="store_true", help="the person agreed to the text")
    parser.set_defaults(run=_capture)


def _capture(options: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.live import session

    _tell(session.run(session.Wish(**_wish(options)), params.load(paths.params).capture, paths))


def _wish(options: argparse.Namespace) -> dict[str, Any]:
    names = ("source", "domain", "label", "subject", "faces", "step", "consent")
    return {name: getattr(options, name) for name in names}


def _add_review(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="faces set apart or doubted: list, accept, reject")
    parser.add_argument(
        "verdict", choices=["list", "doubts", "accept", "reject"],
        help="list: what was set apart; doubts: likely label errors, as the champion sees it",
    )  # fmt: skip
    parser.add_argument("face", nargs="?", help="the first digits of its id")
    parser.add_argument("--label", help="accept it under this label")
    parser.add_argument("--session", help="all faces of a session that was held back")
    parser.set_defaults(run=_review)


def _review(options: argparse.Namespace, paths: Paths) -> None:
    from fer.data import review

    if options.verdict in ("list", "doubts"):
        face: Any
        waiting = review.waiting(paths) if options.verdict == "list" else _doubts(paths)
        for face in waiting.itertuples():
            print(f"{face.id[:12]}  {face.label!s:9} {face.domain:16} {face.reason}")
        return
    if options.session:
        said = review.decide_session(paths, options.session, options.verdict)
        print(f"{options.verdict}  {len(said)} faces: takes effect at the next `fer ingest`")
        return
    decision = review.decide(paths, options.face or "", options.verdict, options.label)
    print(f"{decision.verdict}  {decision.face[:12]}: takes effect at the next `fer ingest`")


def _doubts(paths: Paths) -> Any:
    from fer.live.champion import Champion
    from fer.live.doubts import Doubts
    from fer.live.predictor import Predictor

    return Doubts(paths, Predictor(Champion(paths))).found()


def _add_sweep(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="faces whose consent or retention has ended leave")
    parser.set_defaults(run=_sweep)


def _sweep(_: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.privacy.sweep import sweep

    _tell(sweep(params.load(paths.params).retention, paths))


def _add_forget(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="erase a person, and what learnt from them")
    parser.add_argument("subject", help="pseudonym of the person")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--later", action="store_true", help="leave retraining to the next update")
    style.add_argument("--verify", action="store_true", help="search every byte, change nothing")
    parser.set_defaults(run=_forget)


def _forget(options: argparse.Namespace, paths: Paths) -> None:
    from fer.privacy.forget import forget, verify

    if options.verify:
        proof = verify(options.subject, paths)
        print(f"searched  {proof.files} files and objects, {proof.megabytes} MB")
        _refuse_left(proof.left)
        return
    receipt = forget(options.subject, paths)
    print(f"erased    {len(receipt.faces)} faces: {len(receipt.removed)} files, "
          f"{len(receipt.objects)} objects of {', '.join(receipt.stores)}")  # fmt: skip
    print(f"retired   {', '.join(map(str, receipt.models)) or 'no'} model versions")
    print(f"version   {receipt.data_version} has nothing of them")
    print(f"receipt   {paths.receipts / receipt.name}.json")
    if receipt.seen and not options.later:
        _update(paths)
    _refuse_left(receipt.left)


def _refuse_left(left: Sequence[str]) -> None:
    if left:
        lines = "\n".join(f"  {name}" for name in left)
        raise FerError(
            f"Expected nothing of the person, found something in:\n{lines}\n"
            "Remove what you put there yourself, and look again with --verify."
        )
    print("left      nothing")


def _update(paths: Paths) -> None:
    """Train without them, and let the gate decide, as any update does."""
    from fer.live.updates import environment

    command = [sys.executable, "-m", "pipelines.update", "a person was forgotten"]
    done = subprocess.run(command, cwd=paths.root, env=environment(), check=False)
    if done.returncode:
        raise FerError("The person is erased, but the update failed: look above, and run it again "
                       "with `python -m pipelines.update`.")  # fmt: skip


def _add_export(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="all that is kept of a person, as a zip file for them")
    parser.add_argument("subject", help="pseudonym of the person")
    parser.add_argument("file", type=_path, help="the zip file to write")
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace, paths: Paths) -> None:
    from fer.privacy.export import export

    _tell(export(options.subject, paths, options.file))


def _add_models(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="versions: list, rollback, compare A B")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    rollback = actions.add_parser("rollback", help="give the champion's place back")
    rollback.add_argument("version", type=int, nargs="?", help="default: the previous champion")
    compare = actions.add_parser("compare", help="two versions on the validation faces, now")
    compare.add_argument("first", type=int)
    compare.add_argument("second", type=int)
    parser.set_defaults(run=_models)


def _models(options: argparse.Namespace, paths: Paths) -> None:
    from fer.registry import listing

    if options.action == "rollback":
        before, after = import_module("fer.registry.versions").rollback(paths, options.version)
        print(f"champion  version {after}, was {before}; a re-run does not undo this")
    elif options.action == "compare":
        from fer import params

        judged = params.load(paths.params).promote
        print(listing.compared(paths, options.first, options.second, judged))
    else:
        print(listing.table(paths))


def _add_drift(commands: Any, name: str) -> None:
    parser = commands.add_parser(
        name, help="are faces before a camera other than those the champion was judged on?"
    )
    parser.set_defaults(run=_drift)


def _drift(_: argparse.Namespace, paths: Paths) -> int:
    from fer import params
    from fer.evaluation.drift import as_text, drift
    from fer.live.champion import Champion
    from fer.records import SHIFTED

    champion = Champion(paths)
    version = champion.version()
    found = drift(
        params.load(paths.params).drift, paths, model=champion.file(version), version=version
    )
    for line in as_text(found):
        print(line)
    return SHIFTED if any(one.shifted for one in found) else 0


def _add_serve(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="the live page and the API")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument("--token-file", type=_path, help="needed, or FER_TOKEN, with --host")
    parser.add_argument("--model", type=_path, help="serve this ONNX file, not the champion")
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.live.web.server import serve

    file = options.token_file
    serve(
        params.load(paths.params).capture,
        paths,
        host=options.host,
        port=options.port,
        token=_text(file).strip() if file else os.environ.get("FER_TOKEN"),
        model=options.model,
    )


def _add_live(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="the champion at work in a window")
    parser.add_argument(
        "source", type=_source, nargs="?", default="0",
        help="camera number, film, stream or folder of pictures (default: 0)",
    )  # fmt: skip
    parser.add_argument("--domain", help="camera or room (default: the source)")
    parser.add_argument("--subject", help="pseudonym of the person, to keep faces by keys 1-7")
    parser.add_argument("--model", type=_path, help="serve this ONNX file, not the champion")
    parser.set_defaults(run=_live)


def _live(options: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.live import window

    window.run(
        options.source,
        params.load(paths.params).capture,
        paths,
        domain=options.domain,
        subject=options.subject,
        model=options.model,
    )


def _add_predict(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="emotions in photos, folders and films")
    parser.add_argument("paths", type=_path, nargs="+", metavar="PATH")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--json", dest="style", action="store_const", const="json")
    style.add_argument("--csv", dest="style", action="store_const", const="csv")
    parser.add_argument(
        "--annotate", type=_path, metavar="OUT", help="draw the answers into a copy of the film"
    )
    parser.add_argument("--model", type=_path, help="ask this ONNX file, not the champion")
    parser.set_defaults(run=_predict, style="text")


def _predict(options: argparse.Namespace, paths: Paths) -> None:
    from fer import params
    from fer.faces.detect import Detector, chosen
    from fer.live import predict
    from fer.live.annotate import annotated
    from fer.live.champion import Champion
    from fer.live.predictor import Predictor

    if options.model:
        predictor = Predictor.of_file(options.model)
    else:
        predictor = Predictor(Champion(paths))
        predictor.refresh()
    detector = Detector(chosen(params.load(paths.params).capture, paths))
    readings = predict.predict(options.paths, detector, predictor.probabilities)
    if options.annotate:
        readings = annotated(readings, options.paths, options.annotate)
    readings = predict.watched(readings, options.paths)
    try:
        for line in getattr(predict, f"as_{options.style}")(readings):
            print(line)
    except BrokenPipeError:
        # `fer predict ... | head` has enough. Python would write the rest when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if options.annotate:
            deque(readings, maxlen=0)  # the film is wanted whole all the same


def _add_doctor(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="what is missing or broken here, and what mends it")
    parser.add_argument("--get", choices=["yunet"], help="fetch the better face detector")
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace, paths: Paths) -> None:
    if options.get:
        from fer.faces import yunet

        yunet.fetch(paths)
        print(f"YuNet is at {paths.detector} and finds the faces from now on.")
        return
    from fer.doctor.examine import examine

    problems = 0
    for name, found in examine(paths):
        problems += found.level == "problem"
        told = "\n".join(filter(None, [found.says, found.fix]))
        print(f"{_MARKS[found.level]} {name:10} {indent(told, 13 * ' ').lstrip()}")
    if problems:
        raise FerError(f"{problems} of these keep the loop from running: those marked ✗.")


def _add_litert(commands: Any, name: str) -> None:
    parser = commands.add_parser(name, help="the candidate as LiteRT, for phones and boards")
    parser.add_argument("path", type=_path, help="file to write, such as emotions.tflite")
    parser.add_argument("--model", type=_path, help="this Keras file, not the candidate's")
    parser.set_defaults(run=_litert)


def _litert(options: argparse.Namespace, paths: Paths) -> None:
    from fer.emotions import EMOTIONS

    with _held_back_stderr():
        litert = import_module("fer.model.litert")
    difference = litert.export(options.model or paths.candidate_weights, options.path)
    print(f"written   {options.path}, answers within {difference:.1g} of the network's")
    print(f"labels    {' '.join(EMOTIONS)}")


def _path(text: str) -> Path:
    """Absolute, because the command changes into the checkout's root."""
    return Path(text).expanduser().resolve()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FerError(f"Expected text in {path}, received: {error}") from error


def _source(text: str) -> str:
    """A film or folder as an absolute path; a camera's number or a stream's address as it is."""
    path = Path(text).expanduser()
    return str(path.resolve()) if path.exists() and not text.isdecimal() else text


def _tell(report: object) -> None:
    """Print a report, a line a field; long nested fields are in the report files."""
    fields = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {}
    for name, value in fields.items():
        if not isinstance(value, dict | list | tuple) or (value and len(str(value)) < 160):
            print(f"{name:20} {value}")


_COMMANDS: Final[dict[str, Callable[[Any, str], None]]] = {
    "capture": _add_capture,
    "import": _add_import,
    "ingest": _add_ingest,
    "review": _add_review,
    **dict.fromkeys(STEPS, _add_step),
    "evaluate": _add_evaluate,
    "models": _add_models,
    "forget": _add_forget,
    "export": _add_export,
    "sweep": _add_sweep,
    "drift": _add_drift,
    "serve": _add_serve,
    "live": _add_live,
    "predict": _add_predict,
    "doctor": _add_doctor,
    "litert": _add_litert,
}
