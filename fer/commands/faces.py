"""Faces into the data: `fer capture`, `import`, `ingest`, `review`, `trace`."""

from argparse import ArgumentParser, Namespace
from importlib import import_module
from typing import Any, Final

from fer.commands.command import Command, path, source
from fer.commands.output import tell
from fer.paths import Paths


def _capture_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source", type=source, help="camera number, film, stream, folder or synthetic:CAMERA"
    )
    parser.add_argument("--domain", help="camera or room (default: the source)")
    parser.add_argument("--label", help="what the person shows; a synthetic camera knows it")
    parser.add_argument("--subject", help="pseudonym of the person")
    parser.add_argument("--faces", type=int, default=20, help="how many to take (default: 20)")
    parser.add_argument("--step", type=int, default=10, help="take each N-th frame (default: 10)")
    parser.add_argument("--consent", action="store_true", help="the person agreed to the text")


def _capture(options: Namespace, paths: Paths) -> None:
    from fer import params
    from fer.live import session

    names = ("source", "domain", "label", "subject", "faces", "step", "consent")
    wish = session.Wish(**{name: getattr(options, name) for name in names})
    tell(session.run(wish, params.load(paths.params).capture, paths))


def _import_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("path", type=path, help="a folder per label, or a csv of path,label")
    parser.add_argument("--domain", required=True, help="camera, room or data set")
    parser.add_argument("--name", help="source name (default: the folder's or file's)")
    parser.add_argument("--subject-pattern", metavar="REGEX", help="finds the person in a path")
    parser.add_argument("--aligned", action="store_true", help="pictures are faces already")


def _import(options: Namespace, paths: Paths) -> None:
    from fer import audit, params
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
        item = inbox.put(paths.inbox, found.faces)
        audit.record(paths, "import", item=item.name, faces=len(found.faces))
    print(f"imported  {len(found.faces)} faces, {len(found.problems)} left out")
    if found.crowded:
        print(f"crowded   {found.crowded} pictures show more than one face: the largest was taken")


def _ingest(_: Namespace, paths: Paths) -> None:
    from fer import params
    from fer.data.ingest import ingest
    from fer.files import locked

    checked = params.load(paths.params)

    def pin_champion(where: Paths, pinned: Any) -> Any:
        # Loads MLflow, which takes a second: only when there is something to cut.
        adopt = import_module("fer.registry.adopt")
        # It may move the alias, which a promotion that runs has read.
        with locked(where.lock("promote")):
            return adopt.pin_champion(where, pinned, real=checked.base.real)

    def hold_back(faces: Any) -> Any:
        return import_module("fer.registry.guard").hold_back(faces, checked.ingest, paths)

    tell(ingest(checked.ingest, paths, pin_champion, hold_back))


def _review_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "verdict", choices=["list", "doubts", "accept", "reject"],
        help="list: what was set apart; doubts: likely label errors, as the champion sees it",
    )  # fmt: skip
    parser.add_argument("face", nargs="?", help="the first digits of its id")
    parser.add_argument("--label", help="accept it under this label")
    parser.add_argument("--session", help="all faces of a session that was held back")


def _review(options: Namespace, paths: Paths) -> None:
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


def _trace_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("face", help="the first digits of its id")


def _trace(options: Namespace, paths: Paths) -> None:
    from fer.registry.trace import trace

    for line in trace(options.face, paths):
        print(line)


COMMANDS: Final = {
    "capture": Command("faces of a camera or film into the inbox", _capture, _capture_arguments),
    "import": Command("labelled pictures into the inbox", _import, _import_arguments),
    "ingest": Command("the inbox into a new data version", _ingest),
    "review": Command(
        "faces set apart or doubted: list, accept, reject", _review, _review_arguments
    ),
    "trace": Command("where one face is, and what learnt it", _trace, _trace_arguments),
}
