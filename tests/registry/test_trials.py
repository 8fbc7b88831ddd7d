"""Trials of a search are runs beside those of the models, not among them."""

from fer.registry import trials


def test_a_trial_is_a_run_with_its_settings_and_its_curve(ruled) -> None:
    before = ruled.runs()

    trials.log(
        ruled.paths, name="trial 0", state="pruned", settings={"dropout": 0.2},
        curve={0: 1.5, 1: 1.25},
    )  # fmt: skip

    client = ruled.client
    place = client.get_experiment_by_name("fer-tuning").experiment_id
    (run,) = client.search_runs([place])
    assert run.data.params == {"dropout": "0.2"}
    assert run.data.tags["state"] == "pruned"
    assert run.info.status == "FINISHED"
    curve = client.get_metric_history(run.info.run_id, "monitor")
    assert [(point.step, point.value) for point in curve] == [(0, 1.5), (1, 1.25)]
    assert ruled.runs() == before
