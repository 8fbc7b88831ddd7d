"""The whole loop on drawn faces: a first champion, a new camera, an update, the verdict.

`python -m pipelines.demo`, or `make demo`. Offline; takes a few minutes on two cores.
"""

import json
import re
import sys
import time
from typing import Any, Final

import yaml
from rich.console import Console
from rich.table import Table

from pipelines.commands import ROOT, start

_FACES: Final = 420
_CAMERA: Final = "synthetic:window"
_STAGE: Final = re.compile(r"^(?:Running s|S)tage '(\w+)'")

_console = Console(width=110, highlight=False)
_seconds: dict[str, float] = {}


def main() -> None:
    """Play it, and show what came out."""
    _check_source()
    _say("1. A first champion", "dvc repro: drawn faces of one camera, a model, the gate")
    _run("dvc", "repro", prefix="first champion")
    _say("2. A new camera", f"{_FACES} labelled frames by a window: capture, inbox, ingest")
    _run("fer", "capture", _CAMERA, "--faces", str(_FACES))
    _run("fer", "ingest")
    _say("3. An update", "the Prefect flow: validate, balance, train, evaluate, promote")
    _run("pipelines.update", "demo")
    _show(json.loads((ROOT / "reports" / "update.json").read_text("utf-8")))


def _check_source() -> None:
    source = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))["base"]["source"]
    if source != "synthetic":
        sys.exit(
            f"demo: expected base.source: synthetic in params.yaml, received {source}. Drawn "
            "faces must not mix with yours: run the demo in a fresh clone."
        )


def _say(title: str, text: str) -> None:
    _console.print(f"\n[bold]{title}[/bold]  {text}")


def _run(module: str, *arguments: str, prefix: str = "") -> None:
    """Run a command as a user would, and note the time of it and of its DVC stages."""
    began = time.perf_counter()
    process = start(module, *arguments)
    tail: list[str] = []
    stage, since = "", began
    for line in process.stdout or ():
        tail = [*tail[-40:], line.rstrip()]
        if prefix and (found := _STAGE.match(line)):
            _note(f"{prefix}: {stage}" if stage else f"{prefix}: dvc", since)
            stage, since = found[1], time.perf_counter()
        # No markup: what a command prints may hold brackets.
        _console.print("   " + line.rstrip()[:104], style="dim", markup=False)
    if process.wait():
        sys.exit("\n".join(["demo: this step failed:", *tail]))
    if prefix:
        _note(f"{prefix}: {stage}", since)
    else:
        _note(" ".join([module, *arguments[:1]]), began)


def _note(name: str, since: float) -> None:
    _seconds[name] = time.perf_counter() - since


def _show(outcome: dict[str, Any]) -> None:
    verdict = outcome["verdict"]
    accuracy = Table("domain", title="Accuracy on validation faces", title_justify="left")
    for name in ("faces", f"champion v{verdict['champion']}", f"candidate v{verdict['version']}"):
        accuracy.add_column(name, justify="right")
    for domain, one in verdict["accuracy"].items():
        before = "-" if one["champion"] is None else f"{one['champion']:.1%}"
        accuracy.add_row(domain, str(one["faces"]), before, f"{one['candidate']:.1%}")
    _console.print("\n", accuracy)
    gate = Table(title=f"Verdict of the gate: {verdict['verdict']}", title_justify="left")
    for name in ("", "condition", "expected", "received"):
        gate.add_column(name)
    for one in verdict["conditions"]:
        gate.add_row("✓" if one["holds"] else "✗", one["name"], one["expected"], one["received"])
    _console.print(gate)
    times = Table(title="Where the time went", title_justify="left")
    times.add_column("step")
    times.add_column("seconds", justify="right")
    for name, spent in [*_seconds.items(), *outcome["seconds"].items()]:
        times.add_row(name if name in _seconds else f"   {name}", f"{spent:.1f}")
    _console.print(times)
    _console.print(
        "Look further:\n"
        "  make registry                          MLflow: runs, versions, verdicts\n"
        f"  open {ROOT / 'reports' / 'validation.html'}   what was checked, offline\n"
        "  .venv/bin/fer serve                    the champion at work, in your browser"
    )


if __name__ == "__main__":
    main()
