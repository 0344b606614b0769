"""What is said of timings and plans, from figures that a pencil can check."""

from attention.runtime.timing import Timing
from attention.scaling import sentences
from attention.scaling.core_cost import Peak
from attention.scaling.crossover import LINEAR, PLAIN, TILED, PartTime
from attention.scaling.methods import FULL, TILES, WINDOW, MethodCost
from attention.scaling.model_shapes import shape
from attention.scaling.planner import CORE, REST, Part, Rates
from attention.scaling.power_law import fit


def timing(seconds):
    return Timing(seconds, seconds, seconds)


def test_growth_is_told_with_its_interval_or_not_at_all():
    lengths = [64, 128, 256, 512]
    square = fit(lengths, [n**2 * 1e-9 for n in lengths])
    assert "takes 4.0 times as long (4.0 to 4.0 times" in sentences.growth_sentence(square)
    assert "(2.00 to 2.00), as n² does" in sentences.growth_sentence(square)
    between = fit(lengths, [n**1.5 for n in lengths])
    assert "faster than n and slower than n²" in sentences.growth_sentence(between)
    erratic = fit(lengths, [1.0, 9.0, 1.0, 9.0])
    assert sentences.growth_sentence(erratic).startswith("These times do not tell")


def test_methods_are_compared_at_the_longest_length():
    costs = [
        MethodCost(way, n, timing(n * factor), off, 1.0, 0.0)
        for n in (8, 16)
        for way, factor, off in ((FULL, 4, 0.0), (TILES, 1, 1e-7), (WINDOW, 1, 0.25))
    ]
    sentence = sentences.methods_sentence(costs, 4)
    assert "At 16 tokens tiled attention takes 25% of the plain form's time" in sentence
    assert "tiled not told by these lengths" in sentence  # two are no fit
    assert "The window of 4 is another answer: off by up to 0.25." in sentence


def test_each_crossing_is_measured_extrapolated_or_unknown():
    bert = shape("BERT base")
    assert sentences.crossing_sentence(bert, []).endswith("at 4,608 tokens.")
    times = [
        PartTime(part, n, timing(seconds))
        for part, both in {LINEAR: (2.0, 2.0), PLAIN: (1.0, 4.0), TILED: (0.5, 1.0)}.items()
        for n, seconds in zip((100, 400), both, strict=True)
    ]
    sentence = sentences.crossing_sentence(bert, times)
    assert "Attention, plain: measured at 200." in sentence
    assert "Attention, tiled: not within these lengths; the last two lead to 1,600." in sentence
    noisy = [
        PartTime(part, n, timing(seconds))
        for part, four in {LINEAR: (2.0,) * 4, PLAIN: (1.0, 4.0, 1.0, 4.0)}.items()
        for n, seconds in zip((100, 400, 1600, 6400), four, strict=True)
    ]
    assert "measured at 3,200, the last of 2 crossings." in sentences.crossing_sentence(bert, noisy)
    same = [PartTime(part, n, timing(1.0)) for part in (LINEAR, PLAIN) for n in (100, 400)]
    assert "Attention, plain: no crossing can be told" in sentences.crossing_sentence(bert, same)


def test_memory_is_compared_where_both_methods_are_measured():
    assert sentences.peaks_sentence([Peak("plain", 8, 10), Peak("tiled", 8, 5),
                                     Peak("plain", 16, 40)]) == ""  # fmt: skip


def test_a_plan_is_told_with_what_bounds_it():
    parts, rates = (Part(CORE, 30.0, 1.0), Part(REST, 10.0, 1.0)), Rates(10.0, 10.0)
    reading = sentences.plan_sentence("GPT", 9, parts, rates, 1e9, one_more=False)
    assert reading.startswith("GPT, 9 tokens: 4 s on a perfect machine of these rates, 75% of it")
    assert reading.endswith("most of it computing. Reading the text holds 1 GB.")
    moving = (Part(CORE, 1.0, 1.0), Part(REST, 1.0, 30.0))
    more = sentences.plan_sentence("GPT", 9, moving, rates, 1e9, one_more=True)
    assert "one more token after 8 others" in more
    assert more.endswith("most of it moving bytes. Each step holds 1 GB.")


def test_the_cache_is_told_for_each_way_to_share():
    text = sentences.cache_text(shape("Llama 3 8B"), 131_072, 2)
    assert text.startswith("multi-head (G = 32) 68.7 GB, grouped-query (G = 8) 17.2 GB")
