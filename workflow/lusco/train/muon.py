"""Muon: momentum whose update of each weight matrix is made orthogonal; AdamW for everything else.

Jordan et al. 2024. PyTorch's own Muon takes matrices only and computes in bfloat16, which processors without it
emulate slowly; this one takes convolutions, as matrices of output by all inputs, and computes in the precision of
the weights.
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import AdamW

MOMENTUM = 0.9
ITERATIONS = 5
POLYNOMIAL = (3.4445, -4.775, 2.0315)  # of Jordan et al.: brings all singular values near 1 in five iterations
SMALLEST = 1e-12  # norm of a gradient under which its update fades: squares of what is far smaller are not numbers
ADAM_SCALE = 0.2  # gives the update the root mean square that AdamW's typically has (Liu et al. 2025)


class Muon(AdamW):
    """Muon for the weights of hidden layers, AdamW for the other parameters, at one learning rate.

    Parameters
    ----------
    matrices : iterable of Tensor
        Weights of hidden layers, of two or more dimensions, the first being the output.
    others : iterable of Tensor
        Everything else: biases, first and last layer.
    lr : float
        Learning rate of both.
    weight_decay : float
        Decoupled weight decay of both.
    """

    def __init__(self, matrices: Iterable[Tensor], others: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__([{"params": others}], lr=lr, weight_decay=weight_decay)
        self.add_param_group({"params": matrices, "orthogonal": True})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update all parameters once."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"] if group.get("orthogonal") else ():
                if weight.grad is not None:
                    self._step_matrix(weight, group["lr"], group["weight_decay"])
                    weight.grad = None  # nothing is left for AdamW to do
        super().step()
        return loss

    def _step_matrix(self, weight: Tensor, rate: float, decay: float) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = torch.tensor(0.0)  # AdamW expects one in every state it restores
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
        ahead = weight.grad.lerp(state["momentum"], MOMENTUM)  # Nesterov
        update = orthogonalized(ahead.flatten(1)).view_as(weight)
        weight.mul_(1 - rate * decay).add_(update, alpha=-rate * ADAM_SCALE * math.sqrt(max(ahead.flatten(1).shape)))


def orthogonalized(matrix: Tensor) -> Tensor:
    """The matrix with all its singular values brought near 1, by Newton and Schulz's iteration.

    The polynomials act on the small Gram matrix and are multiplied up, so that the long side is touched twice only.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalized(matrix.T).T
    matrix = matrix / (matrix.norm() + SMALLEST)
    a, b, c = POLYNOMIAL
    gram = matrix @ matrix.T
    product = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(ITERATIONS):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        product = factor @ product
        gram = factor @ gram @ factor
    return product @ matrix


def muon(network: nn.Module, lr: float, weight_decay: float) -> Muon:
    """Muon for a network: the weights of all its convolutions and linear layers but the first and the last."""
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    hidden = {id(layer.weight) for layer in layers[1:-1]}
    parameters = list(network.parameters())
    matrices = [parameter for parameter in parameters if id(parameter) in hidden]
    others = [parameter for parameter in parameters if id(parameter) not in hidden]
    return Muon(matrices, others, lr, weight_decay)
