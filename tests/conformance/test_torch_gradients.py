"""Gradients of the layers that learn against PyTorch's autograd, in float64."""

import numpy as np
import pytest

from attention.learning import layers, sequences

torch = pytest.importorskip("torch", reason="the reference, PyTorch, is not installed")


def tensors(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]


def arrays(leaves):
    return [leaf.detach().numpy() for leaf in leaves]


def same(output, leaves, upstream, found):
    """Send the same gradient back through torch's output and compare what arrives."""
    expected = torch.autograd.grad(output, leaves, torch.tensor(upstream))
    for gradient, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, reference.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
@pytest.mark.parametrize("queries", [1, 5])
def test_attention(lead, queries):
    leaves = tensors(0, (*lead, queries, 4), (*lead, 7, 4), (*lead, 7, 4))
    output = torch.nn.functional.scaled_dot_product_attention(*leaves)
    upstream = np.random.default_rng(1).standard_normal(output.shape)
    given = arrays(leaves)
    weights = layers.attention_forward(*given).weights
    same(output, leaves, upstream, layers.attention_backward(weights, *given, upstream)[:3])


def test_linear_and_cross_entropy():
    leaves = tensors(0, (6, 4), (4, 5), (5,))
    answer = np.array([0, 4, 2, 2, 1, 3])
    logits = leaves[0] @ leaves[1] + leaves[2]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(answer))
    given = arrays(leaves)
    ours = layers.linear(*given)
    assert layers.cross_entropy(ours, answer) == pytest.approx(loss.item(), rel=1e-12)
    d_logits = layers.cross_entropy_backward(ours, answer)
    same(loss, leaves, np.array(1.0), layers.linear_backward(*given[:2], d_logits))


def test_embedding():
    (table,) = leaves = tensors(0, (9, 4))
    ids = np.random.default_rng(1).integers(9, size=(3, 5, 2))
    output = torch.nn.functional.embedding(torch.tensor(ids), table).sum(-2)
    upstream = np.random.default_rng(2).standard_normal(output.shape)
    counted = layers.counts(ids, 9, upstream.dtype)
    same(output, leaves, upstream, [layers.embedding_backward(counted, upstream)])


def test_tanh_layer_is_torch_s_rnn():
    leaves = tensors(0, (2, 6, 3), (3, 4), (4, 4), (4,))
    x, inputs, recurrent, bias = leaves
    weights = [inputs.T, recurrent.T, bias, torch.zeros(4, dtype=torch.float64)]
    start = torch.zeros(1, 2, 4, dtype=torch.float64)
    output, _ = torch.rnn_tanh(x, start, weights, True, 1, 0.0, False, False, True)
    upstream = np.random.default_rng(1).standard_normal(output.shape)
    given = arrays(leaves)
    states = sequences.tanh_forward(*given)
    np.testing.assert_allclose(states[:, 1:], output.detach().numpy(), rtol=1e-12)
    same(output, leaves, upstream, sequences.tanh_backward(states, *given[:3], upstream))


def test_gru():
    """Torch's own GRU resets after its product, so this is the formula of Chung et al. in torch."""
    leaves = tensors(0, (2, 6, 3), (3, 12), (4, 12), (12,))
    x, inputs, recurrent, bias = leaves
    h, outputs = torch.zeros(2, 4, dtype=torch.float64), []
    for t in range(6):
        a = x[:, t] @ inputs + bias
        z, r = torch.sigmoid(a[:, :8] + h @ recurrent[:, :8]).chunk(2, dim=-1)
        c = torch.tanh(a[:, 8:] + (r * h) @ recurrent[:, 8:])
        h = (1 - z) * h + z * c
        outputs.append(h)
    output = torch.stack(outputs, dim=1)
    upstream = np.random.default_rng(1).standard_normal(output.shape)
    given = arrays(leaves)
    forward = sequences.gru_forward(*given)
    same(output, leaves, upstream, sequences.gru_backward(forward, *given[:3], upstream))


@pytest.mark.parametrize("dilation", [1, 2, 9])
def test_convolution(dilation):
    leaves = tensors(0, (2, 8, 3), (3, 3, 4), (4,))
    x, kernel, bias = leaves
    padded = torch.nn.functional.pad(x.swapaxes(1, 2), (2 * dilation, 0))
    turned = kernel.flip(0).permute(2, 1, 0)  # torch counts offsets the other way
    output = torch.nn.functional.conv1d(padded, turned, bias, dilation=dilation).swapaxes(1, 2)
    upstream = np.random.default_rng(1).standard_normal(output.shape)
    given = arrays(leaves)
    found = sequences.convolution_backward(*given[:2], upstream, dilation)
    same(output, leaves, upstream, found)
