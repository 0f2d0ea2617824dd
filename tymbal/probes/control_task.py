"""The control task (Hewitt & Liang 2019): labels that can be learnt only by remembering tokens.

Each token that is read gets, whatever it stands for, the label of a row drawn at random; all rows that read this token
share it. A reader with room to remember tokens does well here. Selectivity is the score on the real task less the score
here: high only where the real labels are easier to read than arbitrary ones.
"""

import torch
from jaxtyping import Int
from torch import Tensor

from tymbal.probes.targets import Target


def control_target(target: Target, types: Int[Tensor, " row"], *, seed: int) -> Target:
    """The control task's labels, distributed over tokens as the real ones are over rows."""
    names, kind = types.unique(return_inverse=True)
    drawn = torch.randint(len(target), (len(names),), generator=torch.Generator().manual_seed(seed))
    return target[drawn[kind]]
