import pytest

from attention.scaling import planner
from attention.scaling.model_shapes import SHAPES, Shape, shape
from attention.scaling.planner import Part, Rates

TINY = Shape("tiny", "made up", 2, 8, 4, 2, 2, 16, 10)  # L D H G E M V, causal


def test_parameters_by_hand():
    # query and output 8 x 8, key and value 8 x 4, MLP 8 x 16 twice
    assert TINY.layer_parameters == 2 * 64 + 2 * 32 + 2 * 128
    assert TINY.parameters == 2 * TINY.layer_parameters + 80
    gated = Shape("gated", "made up", 1, 8, 4, 4, 2, 16, 10, gated=True, tied=False)
    assert gated.layer_parameters == 4 * 64 + 3 * 128
    assert gated.parameters == gated.layer_parameters + 160


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("BERT base", 110e6), ("GPT-2 small", 124e6), ("SmolLM2 135M", 135e6),
        ("Mistral 7B", 7.24e9), ("Llama 3 8B", 8.03e9), ("Llama 3 70B", 70.6e9),
    ],
)  # fmt: skip
def test_published_shapes_have_the_published_number_of_parameters(name, published):
    assert shape(name).parameters == pytest.approx(published, rel=0.015)


def test_an_unknown_shape_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"no shape is named 'GPT-9'.*Llama 3 8B"):
        shape("GPT-9")


def test_operations_of_reading_by_hand():
    attention, rest = planner.prefill(TINY, 3, 4)
    assert attention.flops == 2 * 4 * (4 * 2) * 6  # L, two products of 2 each, H E, 6 pairs
    assert rest.flops == 2 * 3 * 2 * TINY.layer_parameters + 2 * 8 * 10


def test_operations_of_one_more_token_by_hand():
    attention, rest = planner.next_token_parts(TINY, 3, 4)
    assert attention.flops == 2 * 4 * 8 * 3
    assert attention.bytes == 2 * 2 * 2 * 2 * 3 * 4  # K and V, L, G, E, n, bytes
    assert rest.flops == 2 * TINY.parameters
    assert rest.bytes == 4 * TINY.parameters


def test_a_token_takes_two_operations_for_each_parameter():
    """The usual rule of thumb (Kaplan et al. 2020, table 1), for a short text."""
    _, rest = planner.next_token_parts(shape("GPT-2 small"), 1, 4)
    assert rest.flops == pytest.approx(2 * 124e6, rel=0.01)


def test_decoding_all_tokens_takes_the_attention_of_reading_them_at_once():
    for plan in SHAPES:
        if plan.is_causal:
            one_by_one = sum(planner.next_token_parts(plan, n, 2)[0].flops for n in range(1, 65))
            assert one_by_one == planner.prefill(plan, 64, 2)[0].flops


def test_scores_that_are_kept_cost_bytes_but_no_operations():
    tiled, whole = (planner.prefill(TINY, 100, 4, tiled=tiled)[0] for tiled in (True, False))
    assert tiled.flops == whole.flops
    assert whole.bytes - tiled.bytes == 2 * 4 * 4 * 100 * 100 * 4
    assert planner.memory(TINY, 100, 4, tiled=False).scores == 4 * 100 * 100 * 4
    assert planner.memory(TINY, 100, 4).scores == 0


def test_memory_by_hand():
    memory = planner.memory(TINY, 5, 2)
    assert memory.parameters == 2 * TINY.parameters
    assert memory.kv_cache == 2 * 2 * 2 * 2 * 5 * 2
    assert memory.activations == 5 * (2 * 8 + 16) * 2
    assert memory.total == memory.parameters + memory.kv_cache + memory.activations
    assert planner.memory(shape("BERT base"), 5, 2).kv_cache == 0


def test_one_more_token_holds_the_whole_cache_but_one_row_of_activations():
    memory = planner.memory(TINY, 5, 2, tiled=False, queries=1)
    assert memory.kv_cache == planner.memory(TINY, 5, 2).kv_cache
    assert memory.activations == (2 * 8 + 16) * 2
    assert memory.scores == 4 * 5 * 2


def test_time_is_that_of_the_slower_of_computing_and_moving():
    rates = Rates(flops=10.0, bandwidth=2.0)
    assert Part("", flops=100.0, bytes=2.0).seconds(rates) == 10.0
    assert Part("", flops=10.0, bytes=8.0).seconds(rates) == 4.0


@pytest.mark.parametrize("plan", SHAPES)
def test_ten_million_tokens_can_be_planned_and_more_are_refused(plan):
    assert planner.prefill(plan, planner.LONGEST, 2)[0].flops > 1e15
    with pytest.raises(ValueError, match="up to 10,000,000 tokens, got 10,000,001"):
        planner.prefill(plan, planner.LONGEST + 1, 2)


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        planner.next_token_parts(TINY, 0, 2)
    with pytest.raises(ValueError, match="bytes per number must be positive, got 0"):
        planner.memory(TINY, 1, 0)


def test_this_machine_has_rates(monkeypatch):
    monkeypatch.setattr(planner, "_PRODUCT_SIDE", 64)
    monkeypatch.setattr(planner, "_COPIED_NUMBERS", 10_000)
    rates = planner.measured_rates()
    assert 1e6 < rates.flops < 1e15
    assert 1e6 < rates.bandwidth < 1e15
