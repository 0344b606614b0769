"""Decoders of every family held to slow loops, to their own arithmetic, and to transformers."""

from itertools import islice
from pkgutil import resolve_name

import numpy as np
import pytest

import attention
from attention.core import softmax
from attention.edits import Add, Cut, CutHeads, SetRow
from attention.models import attending, registry
from attention.models.layers import rotate
from attention.models.llama import Llama
from tests.models import tiny, tiny_tokenizers

TEXT = "the cat sat on the mat it was"
LOADERS = {kind: tiny.loader(kind) for kind in tiny.DECODERS}


@pytest.fixture(scope="module", params=LOADERS)
def model(request, tmp_path_factory):
    folder = tiny.write(tmp_path_factory.mktemp(request.param) / "m", request.param)
    return LOADERS[request.param].from_folder("tiny", folder)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return Llama.from_folder("tiny", tiny.write(tmp_path_factory.mktemp("llama") / "m", "llama"))


def test_weights_are_the_softmax_of_scores_over_what_came_before(model):
    trace = model.trace(TEXT)
    t = len(trace.tokens)
    assert trace.is_causal
    np.testing.assert_allclose(trace.weights.sum(-1), 1, atol=1e-6)
    assert not trace.weights[..., np.triu_indices(t, 1)[0], np.triu_indices(t, 1)[1]].any()
    np.testing.assert_allclose(softmax(trace.scores), trace.weights, atol=1e-6)


def test_each_query_head_reads_its_own_group(model):
    trace, c = model.trace(TEXT), model.config
    for layer in range(c.num_hidden_layers):
        for head in range(c.num_attention_heads):
            group = head * c.num_key_value_heads // c.num_attention_heads
            q, k, v = trace.query[layer, head], trace.key[layer, group], trace.value[layer, group]
            window = c.windows[layer] if c.windows else None
            for at in range(len(trace.tokens)):
                scores = np.array([q[at] @ k[j] for j in range(at + 1)]) / np.sqrt(c.head_dim)
                if c.score_cap is not None:
                    scores = c.score_cap * np.tanh(scores / c.score_cap)
                row = np.exp(scores - scores.max())
                row[: max(0, at + 1 - (window or at + 1))] = 0
                row /= row.sum()
                np.testing.assert_allclose(trace.weights[layer, head, at, : at + 1], row, atol=1e-6)
                np.testing.assert_allclose(
                    trace.head_output[layer, head, at], row @ v[: at + 1], atol=1e-6
                )


def test_what_comes_later_changes_nothing_before(model):
    whole, start = model.trace(TEXT), model.trace("the cat sat on")
    np.testing.assert_allclose(whole.hidden[:, :4], start.hidden, atol=1e-5)


def test_a_pass_can_go_on_from_any_layer(model):
    trace = model.trace(TEXT)
    both = np.stack([trace.hidden, trace.hidden[..., ::-1]], axis=1)  # (L + 1, 2, T, D)
    for layer, stream in enumerate(both):
        np.testing.assert_allclose(model.resume(stream, layer)[0], trace.hidden[-1], atol=1e-5)
    with pytest.raises(ValueError, match="into layer 4"):
        model.resume(trace.hidden[0], 4)


def test_edits_are_honoured(model):
    trace = model.trace(TEXT)
    silent = model.trace(TEXT, tuple(CutHeads(((1, h),)) for h in range(4)))
    _, bias = model.output_projection(1)
    x = silent.hidden[1]
    without = model.after_attention(1, x, np.broadcast_to(bias, x.shape))
    np.testing.assert_allclose(silent.hidden[2], without, atol=1e-6)
    one = model.trace(TEXT, (Cut(queries=(5,), keys=(2,), layers=(0,), heads=(3,)),))
    assert one.weights[0, 3, 5, 2] == 0
    np.testing.assert_allclose(one.weights[0, 3].sum(-1), 1, atol=1e-6)
    inf = model.trace(TEXT, (Add(-np.inf, queries=(5,), keys=(2,), layers=(0,), heads=(3,)),))
    np.testing.assert_array_equal(one.weights, inf.weights)
    np.testing.assert_array_equal(model.trace(TEXT, ()).hidden, trace.hidden)
    added = model.trace(TEXT, (Add(3.0, queries=(2,), keys=(5,)),))  # masked: it stays so
    np.testing.assert_array_equal(added.weights, trace.weights)


def test_the_next_token_has_the_probabilities_of_the_logits(model):
    trace = model.trace(TEXT)
    chances = softmax(trace.next_logits.astype(np.float64))
    told = trace.next_token(3)
    assert [chance for _, chance in told] == sorted(chances, reverse=True)[:3]
    assert told[0][0] == tiny.WORDS[int(np.argmax(chances))]
    assert trace.next_token(1, temperature=0.5)[0][1] > told[0][1]
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        trace.next_token(0)


def test_generation_with_a_cache_is_what_whole_passes_give(model):
    written, text = [], "the cat"
    for _ in range(8):
        written.append(model.trace(text).next_token(1)[0][0])
        text += " " + written[-1].strip("[]")  # any word that is not known makes [UNK]
    steps = list(islice(model.generate("the cat", temperature=0), 8))
    assert [step.text for step in steps] == written
    assert {step.probability for step in steps} == {1.0}


@pytest.mark.parametrize("kind", ["sentencepiece", "no prefix", "bytes"])
def test_what_is_written_is_spelled_with_its_spaces(tmp_path, kind):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", kind)
    llama = Llama.from_folder("tiny", folder)
    space = "Ġ" if kind == "bytes" else "▁"
    ids = [llama.tokenizer.token_to_id(space + word) for word in ("cat", "sat", "on")]
    assert [llama.spell(i) for i in ids] == [" cat", " sat", " on"]
    assert "The" + llama.spell_all(ids) == "The cat sat on"
    assert [llama.label(i) for i in ids] == ["␣cat", "␣sat", "␣on"]
    steps = list(islice(llama.generate("The cat", seed=3), 30))
    written = llama.spell_all([step.id for step in steps])
    assert not set("Ġ▁ðĺ") & {*written, *"".join(step.text for step in steps)}
    told = [text for text, _ in llama.trace("The cat").next_token(llama.config.vocab_size)]
    assert " cat" in told
    assert "<E4>" in told


def test_bytes_of_one_character_are_joined_and_single_ones_shown(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "sentencepiece")
    llama = Llama.from_folder("tiny", folder)
    ids = llama.tokenizer.encode("😀", add_special_tokens=False).ids[-4:]
    assert llama.spell_all(ids) == "😀"
    assert [llama.spell(i) for i in ids] == ["<F0>", "<9F>", "<98>", "<80>"]
    assert llama.spell_all(ids[:-1]) == "<F0><9F><98>"


def test_generation_ends_where_the_context_does(model):
    assert len(list(model.generate("the cat", seed=1))) == 20 - 2 + 1


def test_generation_is_random_but_can_be_repeated(model):
    def write(seed, **options):
        return [step.id for step in islice(model.generate(TEXT, seed=seed, **options), 10)]

    assert write(1) == write(1)
    assert write(1) != write(2)
    assert write(5, top_k=1) == write(6, temperature=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"temperature": -1.0}, "temperature must"), ({"top_k": 0}, "top_k at least 1")],
)
def test_generation_refuses_wrong_numbers_at_once(model, options, message):
    with pytest.raises(ValueError, match=message):
        model.generate(TEXT, **options)
    with pytest.raises(ValueError, match="nothing to go on from"):
        model.generate("")


def test_a_long_text_is_refused_with_both_numbers(model):
    with pytest.raises(ValueError, match="has 21 tokens; the model reads at most 20"):
        model.trace("cat " * 21)


@pytest.mark.parametrize("text", [["a", "b"], None, 3, b"cat", ("the", "cat")])
def test_what_is_no_text_is_refused_by_its_type(model, text):
    for read in (model.trace, model.tokenize, model.hidden, model.generate):
        with pytest.raises(ValueError, match=f"a text is one str, got {type(text).__name__};"):
            read(text)


@pytest.mark.parametrize("edits", [Cut(keys=(1,)), None, "cut", ("cut",), (Cut, 3)])
def test_what_are_no_edits_is_refused_at_once(model, edits):
    with pytest.raises(
        ValueError, match="edits are a tuple of Cut, CutHeads, Add, SetRow and Patch, got"
    ):
        model.trace(TEXT, edits)


def test_a_text_without_tokens_is_a_normal_state(model):
    trace = model.trace("")
    assert trace.weights.shape == (3, 4, 0, 0)
    with pytest.raises(ValueError, match="nothing to go on from"):
        trace.next_token()


def test_arrays_are_read_only(model):
    trace = model.trace(TEXT)
    assert not any(
        a.flags.writeable for a in (trace.weights, trace.key, trace.next_logits, trace.scores)
    )


@pytest.mark.parametrize("kind", LOADERS)
def test_a_decoder_without_a_head_shows_its_attention_and_predicts_nothing(tmp_path, kind):
    """The embeddings score next words only where the config says that they are shared."""
    whole = LOADERS[kind].from_folder("m", tiny.write(tmp_path / "whole", kind))
    folder = tiny.write(tmp_path / "headless", kind, tie_word_embeddings=False)
    headless = LOADERS[kind].from_folder("m", folder)
    trace = headless.trace(TEXT)
    np.testing.assert_array_equal(trace.weights, whole.trace(TEXT).weights)
    assert (whole.predicts, headless.predicts) == (True, False)
    assert trace.next_logits is None
    for ask in (
        trace.next_token,
        lambda: headless.logits(trace.hidden[-1]),
        lambda: headless.generate(TEXT),
    ):
        with pytest.raises(ValueError, match="m predicts no next token: its file has no head"):
            ask()


@pytest.mark.parametrize("kind", LOADERS)
def test_a_head_that_is_a_copy_of_the_embeddings_takes_no_memory_of_its_own(tmp_path, kind):
    tensors = tiny.weights(kind)
    words = next(iter(tensors))
    tensors[LOADERS[kind].config_class.head_name] = tensors[words].copy()
    model = LOADERS[kind].from_folder("m", tiny.write(tmp_path / "m", kind, tensors))
    assert np.shares_memory(model._head, model.word_embeddings)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_the_names_of_a_file_change_nothing_that_is_computed(tmp_path, kind):
    named = tiny.weights(kind)
    bare = {name.removeprefix(tiny.PREFIXES[kind]): tensor for name, tensor in named.items()}
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in named.items()
    }
    architecture = resolve_name(registry.ARCHITECTURES[kind])
    traces = [
        architecture.from_folder("m", tiny.write(tmp_path / str(at), kind, tensors)).trace(TEXT)
        for at, tensors in enumerate((named, bare, old))
    ]
    for trace in traces[1:]:
        np.testing.assert_array_equal(trace.weights, traces[0].weights)
        np.testing.assert_array_equal(trace.hidden, traces[0].hidden)


def test_a_rotation_leaves_lengths_and_tells_distances_only(llama):
    trace, layer, head = llama.trace(TEXT), 1, 2
    query, key, _ = llama.unrotated(layer, trace.hidden[layer])
    turned = rotate(query, *llama.angles(len(trace.tokens)))
    np.testing.assert_allclose(turned, trace.query[layer], atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(turned, axis=-1), np.linalg.norm(query, axis=-1), rtol=1e-5
    )
    q, k = query[head, 3], key[head // 2, 1]
    scores = [
        rotate(q[None], *llama.angles(1, at + 4))[0] @ rotate(k[None], *llama.angles(1, at))[0]
        for at in (0, 7, 15)
    ]
    np.testing.assert_allclose(scores, scores[0], atol=1e-5)


@pytest.mark.parametrize("tokens", [6, 150])  # one block of queries, and several
def test_fewer_queries_than_keys_are_the_last_ones(tokens):
    rng = np.random.default_rng(0)
    q = rng.standard_normal((4, tokens, 4), dtype=np.float32)
    k, v = rng.standard_normal((2, 2, tokens, 4), dtype=np.float32)
    whole, last = (np.full((4, n, tokens), np.nan, np.float32) for n in (tokens, 2))
    output, end = np.empty_like(q), np.empty_like(q[:, -2:])
    for made in ((q, k, v, whole, output), (q[:, -2:], k, v, last, end)):
        attending.attend(*(array[None] for array in made), is_causal=True)
    np.testing.assert_allclose(end, output[:, -2:], atol=1e-6)
    np.testing.assert_allclose(last, whole[:, -2:], atol=1e-6)
    expected = attention.attention_weights(q, k, is_causal=True, enable_gqa=True)
    np.testing.assert_allclose(whole, expected, atol=1e-6)


CHANGES = (
    (Add(2.0, queries=(4, 5), keys=(3,)),),
    (Cut(keys=(6,)),),
    (SetRow((0.5, 0.5, 0, 0, 0, 0, 0, 0), queries=(3,), layers=(1,)), CutHeads(((2, 1),))),
    (Cut(queries=(1,), keys=(5,)),),  # masked: nothing changes
    (),
)


@pytest.mark.parametrize("before", [(), (Add(1.0, queries=(2,), keys=(1,), heads=(3,)),)])
@pytest.mark.parametrize("edits", CHANGES)
def test_an_edited_pass_takes_over_what_stays_as_it_is(model, before, edits):
    start = model.trace(TEXT, before)
    edited, whole = model.edited(start, edits), model.trace(TEXT, before + edits)
    assert edited.edits == whole.edits
    for name in ("query", "key", "value", "weights", "head_output", "hidden", "next_logits"):
        np.testing.assert_allclose(getattr(edited, name), getattr(whole, name), 1e-5, 1e-5)
    with pytest.raises(ValueError, match="no layer 9"):
        model.edited(start, (Cut(layers=(9,)),))


@pytest.mark.parametrize("before", [(), (Add(1.0, queries=(2,), keys=(1,), heads=(3,)),)])
@pytest.mark.parametrize("changes", [CHANGES, CHANGES[:2], CHANGES[-1:]])
def test_passes_with_edits_of_their_own_run_side_by_side(model, before, changes):
    start = model.trace(TEXT, before)
    streams = model.last_streams(start, changes)
    whole = [model.trace(TEXT, before + edits).hidden[-1] for edits in changes]
    np.testing.assert_allclose(streams, whole, 1e-5, 1e-5)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("llama", {"model_type": "mamba"}, "model_type is 'mamba'"),
        ("llama", {"rope_scaling": {"type": "linear"}}, "factor must be a number from 1"),
        ("llama", {"rope_scaling": {"type": "mrope"}}, "rope_type is 'mrope'; computed are"),
        ("llama", {"is_causal": False}, "is_causal is False"),
        ("gpt2", {"is_causal": False}, "is_causal is False"),
        ("llama", {"per_layer_config": {"0": {}}}, "per_layer_config is"),
        ("llama", {"rope_parameters": {"rope_type": "llama3"}}, "factor must be a number"),
        ("llama", {"attention_bias": "some"}, "attention_bias is 'some'"),
        ("mistral", {"sliding_window": -1}, "sliding_window must be a whole number"),
        (
            "qwen2",
            {"use_sliding_window": True, "layer_types": ["chunked"]},
            "layer_types must be 3",
        ),
        ("gemma3_text", {"use_bidirectional_attention": True}, "use_bidirectional_attention is"),
        ("gemma2", {"attn_logit_softcapping": 0}, "attn_logit_softcapping must be a number"),
        ("phi3", {"rope_scaling": {"type": "su", "short_factor": [1, 2]}}, "list of 1 numbers"),
        ("gpt_neox", {"attention_bias": False}, "attention_bias is False"),
        ("gpt_neox", {"rotary_pct": 0.1}, "must be even to be rotated, got 0 numbers"),
        ("opt", {"do_layer_norm_before": False}, "do_layer_norm_before is False"),
        ("opt", {"word_embed_proj_dim": 8}, "word_embed_proj_dim is 8"),
        ("llama", {"num_key_value_heads": 3}, "4 query heads cannot share 3"),
        ("llama", {"num_hidden_layers": 10**9}, "num_hidden_layers must be"),
        ("llama", {"rms_norm_eps": float("nan")}, "epsilon must be"),
        ("llama", {"num_attention_heads": 0}, "num_attention_heads must be"),
        ("llama", {"rope_theta": -1.0}, "rope_theta must be"),
        ("llama", {"head_dim": 3}, "head_dim must be even"),
        ("gpt2", {"n_layer": "many"}, "n_layer must be"),
        ("gpt2", {"n_head": 5}, "5 heads cannot divide"),
        ("gpt2", {"activation_function": "mish"}, "activation_function is 'mish'"),
    ],
)
def test_configs_that_are_not_computed_here_are_refused(tmp_path, kind, change, message):
    folder = tiny.write(tmp_path / "m", kind)
    (folder / "config.json").write_text(tiny.json.dumps(tiny.CONFIGS[kind] | change))
    with pytest.raises(ValueError, match=message):
        LOADERS[kind].from_folder("tiny", folder)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bert"])
def test_a_random_model_is_what_transformers_makes_of_it(tmp_path, kind):
    """Saved by transformers, read by this package, compared layer by layer."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    folder = tiny.write(tmp_path / "m", kind)
    config = transformers.AutoConfig.for_model(**tiny.CONFIGS[kind])
    torch.manual_seed(0)
    made = transformers.AutoModel if kind == "bert" else transformers.AutoModelForCausalLM
    theirs = made.from_config(config, attn_implementation="eager").eval()
    theirs.save_pretrained(folder)
    ours = resolve_name(registry.ARCHITECTURES[kind]).from_folder("tiny", folder)
    trace = ours.trace(TEXT)
    with torch.inference_mode():
        out = theirs(
            torch.tensor([trace.input.ids.tolist()]),
            output_attentions=True,
            output_hidden_states=True,
        )
    np.testing.assert_allclose(trace.weights, torch.cat(out.attentions).numpy(), atol=1e-5)
    for layer in range(len(trace.hidden) - 1):
        np.testing.assert_allclose(trace.hidden[layer], out.hidden_states[layer][0], atol=1e-5)
    if kind != "bert":
        np.testing.assert_allclose(ours.logits(trace.hidden[-1]), out.logits[0], atol=1e-4)
