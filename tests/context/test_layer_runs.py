"""The stored run of layer times: it has what the page asks for, and can be made anew."""

from attention.context import layer_runs
from attention.context.layer_costs import LAYERS, LayerTime
from attention.scaling import runs


def test_the_stored_run_has_every_width_kernel_and_length():
    for width in layer_runs.WIDTHS:
        for kernel in layer_runs.KERNELS:
            times = layer_runs.stored_times(width, kernel)
            assert {(time.layer, time.n) for time in times} == {
                (layer, n) for layer in LAYERS for n in layer_runs.LENGTHS
            }
            assert all(time.low <= time.median <= time.high for time in times)


def test_the_stored_run_names_its_machine_by_kind_only():
    told = layer_runs.machine_text(layer_runs.stored())
    assert layer_runs.stored().made in told
    assert "/" not in told


def test_a_run_that_is_made_can_be_stored(monkeypatch):
    def time_layers(lengths, width, kernel):
        return [LayerTime(layer, n, width + kernel, 1, 999, 7) for n in lengths for layer in LAYERS]

    monkeypatch.setattr(layer_runs, "time_layers", time_layers)
    made = layer_runs.measure([4, 8], [2], [3, 5])
    assert runs.from_json(runs.to_json(made).encode()) == made
    assert {point.series: point.seconds for point in made.points} == {
        "recurrent, d = 2": 5,  # of the first kernel: it has none of its own
        "convolution, d = 2, k = 3": 5,
        "convolution, d = 2, k = 5": 7,
        "self-attention, d = 2": 5,
    }
    assert made.settings["rounds"] == 7
