"""What whoever serves the dashboard allows, and how more than that is refused."""

import pytest

import attention
from attention.models import registry
from attention.runtime import limits


@pytest.fixture
def fresh_registry():
    registry.entries.cache_clear()
    yield
    registry.entries.cache_clear()


def test_nothing_is_limited_unless_it_is_asked_for(monkeypatch):
    for name in (limits.READERS_ALLOWED, limits.TOKENS_ALLOWED, limits.OFFERED):
        monkeypatch.delenv(name, raising=False)
    assert limits.number_said(limits.READERS_ALLOWED) is None
    assert limits.offered() is None
    limits.check_tokens(10**9)


@pytest.mark.parametrize("said", ["0", "-3", "many", "1.5", "²"])
def test_a_limit_that_means_nothing_is_refused(monkeypatch, said):
    monkeypatch.setenv(limits.TOKENS_ALLOWED, said)
    with pytest.raises(ValueError, match="ATTENTION_MOST_TOKENS must be a whole number"):
        limits.check_tokens(3)


def test_a_text_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setenv(limits.TOKENS_ALLOWED, "12")
    limits.check_tokens(12)
    with pytest.raises(ValueError, match="has 13 tokens; this server reads at most 12"):
        limits.check_tokens(13)
    with pytest.raises(ValueError, match="has 50,001 characters; at most 50,000"):
        limits.check_text("a" * 50_001)


@pytest.mark.usefixtures("fresh_registry")
def test_only_what_is_offered_can_be_loaded(monkeypatch, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "secret" / "model.safetensors").write_bytes(b"")
    monkeypatch.setenv("ATTENTION_MODELS", str(tmp_path))
    monkeypatch.setenv(limits.OFFERED, "minilm")
    assert attention.available_models() == ["minilm", "en-pt"]
    assert attention.unavailable_models() == {}
    for name in ("secret", str(tmp_path / "secret"), "smollm2", "../minilm", "/etc/passwd"):
        with pytest.raises(ValueError, match=r"available: minilm, en-pt$"):
            attention.load_model(name)


@pytest.mark.usefixtures("fresh_registry")
def test_an_offer_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv(limits.OFFERED, "minilm,llama-70b")
    with pytest.raises(ValueError, match="offers llama-70b, but found are minilm"):
        attention.available_models()
