"""What the other side of an exchange of folders does; runs in the peers' own environments, without Tymbal.

    python SIDE.py write FOLDER    save dictionaries with the peer's own code, one subfolder each
    python SIDE.py read FOLDER     load every subfolder with the peer's own code

Either way FOLDER/NAME.safetensors then holds what the peer computes with the dictionary of FOLDER/NAME: activations and
reconstruction of `rows()`, the decoder, and what each row is multiplied by after decoding.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

WIDTH, FEATURES, ROWS, K, TRANSCODED = 12, 40, 60, 5, 7


def rows() -> torch.Tensor:
    """Activations with a mean that is not zero."""
    return torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(7)) + 0.5


@torch.no_grad()
def fill(module: torch.nn.Module) -> None:
    """Random parameters; thresholds are not negative."""
    torch.manual_seed(0)
    for name, parameter in module.named_parameters():
        parameter.normal_(std=0.5)
        if "threshold" in name:
            parameter.abs_()


def exchanged(
    writers: Mapping[str, Callable[[Path], None]], computed: Callable[[Path, torch.Tensor], dict[str, Any]]
) -> None:
    """Do what the command line asks for; `computed` loads a folder and says what the peer makes of rows."""
    torch.set_num_threads(1)
    order, folder = sys.argv[1], Path(sys.argv[2])
    if order == "write":
        for name, write in writers.items():
            write(folder / name)
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        with torch.no_grad():
            tensors = {"scale": torch.ones(ROWS, 1), **computed(place, rows())}
        contiguous = {name: tensor.detach().float().contiguous().clone() for name, tensor in tensors.items()}
        save_file(contiguous, folder / f"{place.name}.safetensors")
