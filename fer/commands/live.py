"""A model at work: `fer drift`, `serve`, `live`, `predict`."""

import sys
from argparse import ArgumentParser, Namespace
from collections import deque
from typing import Final

from fer.commands.command import Command, path, source
from fer.paths import SHIPPED_MODEL, Paths


def _drift(_: Namespace, paths: Paths) -> int:
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


def _serve_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000, help="default: 8000; 0: any free one")
    parser.add_argument("--host", default="127.0.0.1", help="default: this machine alone")
    parser.add_argument(
        "--proxy", metavar="ADDRESS", help="of a reverse proxy, to be told by it who asks"
    )
    parser.add_argument("--model", type=path, help="serve this ONNX file, not the champion")


def _serve(options: Namespace, paths: Paths) -> None:
    from fer import params
    from fer.live.web.server import serve

    serve(
        params.load(paths.params).capture,
        paths,
        host=options.host,
        port=options.port,
        proxy=options.proxy,
        model=options.model,
    )


def _live_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source", type=source, nargs="?", default="0",
        help="camera number, film, stream or folder of pictures (default: 0)",
    )  # fmt: skip
    parser.add_argument("--domain", help="camera or room (default: the source)")
    parser.add_argument("--subject", help="pseudonym of the person, to keep faces by keys 1-7")
    parser.add_argument("--model", type=path, help="serve this ONNX file, not the champion")


def _live(options: Namespace, paths: Paths) -> None:
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


def _predict_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", type=path, nargs="+", metavar="PATH")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--json", dest="style", action="store_const", const="json")
    style.add_argument("--csv", dest="style", action="store_const", const="csv")
    parser.add_argument(
        "--annotate", type=path, metavar="OUT", help="draw the answers into a copy of the film"
    )
    parser.add_argument("--model", type=path, help="ask this ONNX file, not the champion")
    parser.set_defaults(style="text")


def _predict(options: Namespace, paths: Paths) -> None:
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
        if predictor.state.drawn:
            print(
                f"fer predict: {predictor.state.name}, answers. For people, ask the champion that "
                f"comes with the product: --model {SHIPPED_MODEL}",
                file=sys.stderr,
            )
    detector = Detector(chosen(params.load(paths.params).capture, paths))
    readings = predict.predict(options.paths, detector, predictor.probabilities)
    if options.annotate:
        readings = annotated(readings, options.paths, options.annotate)
    readings = predict.watched(readings, options.paths)
    try:
        for line in getattr(predict, f"as_{options.style}")(readings):
            print(line)
    except BrokenPipeError:
        if options.annotate:
            deque(readings, maxlen=0)  # the film is wanted whole all the same
        raise


COMMANDS: Final = {
    "drift": Command(
        "are faces before a camera other than those the champion was judged on?", _drift
    ),
    "serve": Command("the live page and the API", _serve, _serve_arguments),
    "live": Command("the champion at work in a window", _live, _live_arguments),
    "predict": Command("emotions in photos, folders and films", _predict, _predict_arguments),
}
