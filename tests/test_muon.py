"""The optimizer against what defines it: singular values, and the steps of AdamW."""

import copy

import pytest
import torch
from torch import nn

from lusco.train.muon import muon, orthogonalized


@pytest.mark.parametrize("shape", [(16, 16), (8, 72), (72, 8)])
def test_orthogonalized_has_the_same_singular_vectors_and_values_near_one(shape):
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    result = orthogonalized(matrix)
    in_basis = u.T @ result @ v.T
    values = in_basis.diagonal()
    assert values.min() > 0.5 if shape[0] != shape[1] else values.median() > 0.5  # a square one may be singular
    assert values.max() < 1.3
    torch.testing.assert_close(in_basis, torch.diag(values), atol=1e-3, rtol=0)


def test_orthogonalized_does_not_depend_on_the_size_of_the_gradient():
    matrix = torch.randn(8, 72, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(orthogonalized(1e-4 * matrix), orthogonalized(matrix), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("size", [1e-22, 1e-30, 1e-42])
def test_the_update_of_a_layer_that_no_longer_learns_fades(size):
    """The momentum of a layer without gradient shrinks for ever; the squares of so small numbers are zero."""
    matrix = torch.randn(8, 72, generator=torch.Generator().manual_seed(1))
    assert orthogonalized(size * matrix).abs().max() < 1e-3


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Conv2d(6, 2, 1))


def stepped(optimizer, module, image):
    for _ in range(3):
        optimizer.zero_grad()
        module(image).square().mean().backward()
        optimizer.step()


def test_only_hidden_weights_are_orthogonal_and_all_else_is_stepped_as_by_adamw():
    ours, theirs = network(), network()
    image = torch.randn(2, 1, 12, 12, generator=torch.Generator().manual_seed(2))
    optimizer = muon(ours, 1e-3, 1e-2)
    matrices = [group["params"] for group in optimizer.param_groups if group.get("orthogonal")]
    assert [[id(p) for p in group] for group in matrices] == [[id(ours[2].weight)]]
    optimizer.zero_grad()
    ours(image).square().mean().backward()
    optimizer.step()
    reference = torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=1e-2)
    theirs(image).square().mean().backward()
    reference.step()
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        if name == "2.weight":
            assert not torch.allclose(a, b)
        else:
            torch.testing.assert_close(a, b)


def test_the_first_update_of_a_matrix_has_the_size_of_one_by_adamw():
    module = network()
    before = module[2].weight.detach().clone()
    optimizer = muon(module, 1e-3, 0.0)
    module(torch.randn(2, 1, 12, 12)).square().mean().backward()
    optimizer.step()
    size = (module[2].weight - before).square().mean().sqrt()
    assert 0.1e-3 < size < 0.3e-3  # 0.2 of the learning rate


def test_a_restored_optimizer_goes_on_with_the_same_steps():
    image = torch.randn(2, 1, 12, 12, generator=torch.Generator().manual_seed(2))
    whole = network()
    optimizer = muon(whole, 1e-3, 1e-2)
    stepped(optimizer, whole, image)
    resumed = network()
    resumed.load_state_dict(whole.state_dict())
    other = muon(resumed, 1e-3, 1e-2)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    stepped(optimizer, whole, image)
    stepped(other, resumed, image)
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
