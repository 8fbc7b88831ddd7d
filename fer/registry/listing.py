"""The registry for people: every version with its verdict, and two of them side by side."""

from fer.data import table as faces_table
from fer.evaluation import answers
from fer.evaluation.compare import compare
from fer.evaluation.metrics import scores_by_domain
from fer.model.classifier import Classifier
from fer.params import PromoteParams
from fer.paths import Paths
from fer.registry import versions
from fer.registry.tracking import connect


def table(paths: Paths) -> str:
    """Return all versions, newest first: number, alias, accuracy, data version, verdict, why."""
    lines = ["version  alias     accuracy  data  parent  created           verdict"]
    for one in versions.listed(connect(paths)):
        tag = one.tags.get
        reason = tag("reasons", "").splitlines()
        lines.append(
            f"{one.number:7}  {','.join(one.aliases) or '-':8}  "
            f"{tag('validation_accuracy', '-'):8}  {tag('data_version', '-'):4}  "
            f"{tag('parent', '-'):6}  {one.created:%Y-%m-%d %H:%M}  "
            f"{tag('verdict', '-')}: {reason[0] if reason else ''}"
        )
    if len(lines) > 1:
        return "\n".join(lines)
    return "No version yet: the shipped champion serves. Run `dvc repro`."


def compared(paths: Paths, first: int, second: int, params: PromoteParams) -> str:
    """Return both versions' accuracy by domain on the present validation faces.

    Raises:
        RegistryError: There is no such version.
        MissingData: There are no validation faces yet.
    """
    client = connect(paths)
    faces = faces_table.read(paths.validation)
    pixels = faces_table.decode(faces["image"])
    truth, domains = answers.truth(faces), answers.domains(faces)
    told = []
    for number in (first, second):
        model, _ = versions.files(versions.get(client, number))
        told.append(Classifier(model).probabilities(pixels))
    old, new = (scores_by_domain(truth, each, domains) for each in told)
    found = compare(
        told[1].argmax(axis=1) == truth,
        told[0].argmax(axis=1) == truth,
        domains,
        confidence=params.confidence,
        resamples=params.resamples,
        seed=params.seed,
    )
    lines = [f"{'domain':24} {'faces':>6} {first:>8} {second:>8}"]
    lines += [
        f"{name:24} {one.rows:6} {old[name].accuracy:8.3f} {one.accuracy:8.3f}"
        for name, one in new.items()
    ]
    lines.append(
        f"difference {100 * found.difference:+.1f} points, at least "
        f"{100 * found.lower_bound:+.1f} with {params.confidence:.0%} confidence"
    )
    return "\n".join(lines)
