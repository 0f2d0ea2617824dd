"""What ranks send one another, with gradients where a loss needs them.

Every rank calls the same function in the same order. A sum is the same on every rank, bit by bit: each number is added
up in one place and then handed round.
"""

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor


def reduced(part: Tensor, group: dist.ProcessGroup | None, how: Any = dist.ReduceOp.SUM) -> Tensor:
    """All ranks' tensors in one (their sum, unless told otherwise), without gradient; the argument stays as it is."""
    whole = part.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(whole, op=how, group=group)
    return whole


def gathered(part: Shaped[Tensor, "*shape"], group: dist.ProcessGroup | None) -> Shaped[Tensor, "part *shape"]:
    """All ranks' tensors, of one shape, in the order of ranks."""
    parts = [torch.empty_like(part, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size(group))]
    dist.all_gather(parts, part.contiguous(), group=group)
    return torch.stack(parts)


def shared_sum(part: Tensor, group: dist.ProcessGroup) -> Tensor:
    """The sum of all ranks' parts. All go on to the same loss, so that the gradient of the sum is each part's own."""
    return _SharedSum.apply(part, group)


def summed_gradient(parameter: Tensor, group: dist.ProcessGroup) -> Tensor:
    """The parameter itself; of its gradient each rank knows a part, and they are summed."""
    return _SummedGradient.apply(parameter, group)


class _SharedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, part, group):  # noqa: ARG004
        return reduced(part, group)

    @staticmethod
    def backward(ctx: Any, *grad_outputs):  # noqa: ARG004
        return grad_outputs[0], None


class _SummedGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parameter, group):
        ctx.group = group
        return parameter.view_as(parameter)

    @staticmethod
    def backward(ctx: Any, *grad_outputs):
        return reduced(grad_outputs[0], ctx.group), None
