"""EleutherAI's sparsify: `cfg.json` and `sae.safetensors`, TopK dictionaries, transcoders and skip transcoders.

Its TopK compares raw scores, also where directions are not of norm 1, as is usual of its transcoders.

Source: the eai-sparsify package, version 1.3.3 (`sparse_coder.py`, `config.py`).
"""

from pathlib import Path

from tymbal import artifact
from tymbal.dictionaries.dictionary import Dictionary
from tymbal.dictionaries.ends import Ends, Target
from tymbal.dictionaries.foreign.assembly import assembled, centre, linear, unwritable, with_unit_norms
from tymbal.dictionaries.foreign.contents import Settings, plain, require_size, shaped
from tymbal.dictionaries.topk import TopK

NAME = "sparsify"
CONFIG = "cfg.json"
TENSORS = "sae.safetensors"
CAN = "topk, and topk transcoders whose two sites have one width"
_NAMES = {
    "encoder.weight": "encoder",
    "encoder.bias": "encoder_bias",
    "W_dec": "decoder",
    "b_dec": "decoder_bias",
    "W_skip": "skip",
}
"""Their names of our tensors."""
_AXES = {
    "encoder.weight": "feature width",
    "encoder.bias": "feature",
    "W_dec": "feature width",
    "b_dec": "width",
    "W_skip": "width width",
}


def reads(folder: Path) -> bool:
    """Whether the folder looks like one of sparsify."""
    return (folder / TENSORS).is_file()


def read(folder: Path) -> Dictionary:
    """The dictionary in a folder of sparsify; raises `ArtifactError` for what cannot be read faithfully."""
    settings = Settings.read(folder / CONFIG)
    if settings.text("activation", "topk") != "topk":
        raise settings.refusal("activation", "topk")
    if settings.flag("signed", False):
        raise settings.refusal("signed", "false (values of either sign cannot be held)")
    transcodes, skip = settings.flag("transcode", False), settings.flag("skip_connection", False)
    axes = {name: shape for name, shape in _AXES.items() if skip or name != "W_skip"}
    found = shaped(plain(folder / TENSORS), axes, folder / TENSORS)
    features, width = found["encoder.weight"].shape
    require_size(settings, "d_in", width)
    if settings.number("num_latents", 0):
        require_size(settings, "num_latents", features)
    dictionary = assembled(
        TopK,
        {_NAMES[name]: tensor for name, tensor in found.items()},
        folder,
        k=settings.number("k"),
        ends=Ends(target=Target(width=width, skip=skip) if transcodes or skip else None),
    )
    if skip and not transcodes:
        centre(dictionary, -1)  # the bias is taken from what the features read, but not from what the skip reads
    return with_unit_norms(dictionary)


def write(dictionary: Dictionary, folder: Path) -> None:
    """Write a folder of sparsify; raises `ArtifactError` for a dictionary that it cannot hold."""
    ends = dictionary.ends
    if not isinstance(dictionary, TopK) or ends.parts or ends.row_norm or dictionary.target_width != dictionary.width:
        raise unwritable(dictionary, NAME, CAN)
    skip = bool(ends.target and ends.target.skip)
    ours = {**dictionary.state_dict(), **linear(dictionary)._asdict()}
    tensors = {theirs: ours[own] for theirs, own in _NAMES.items() if skip or own != "skip"}
    artifact.write_tensors(folder / TENSORS, tensors)
    config = {
        "activation": "topk",
        "expansion_factor": max(1, dictionary.features // dictionary.width),
        "normalize_decoder": dictionary.ranking is None,
        "num_latents": dictionary.features,
        "k": dictionary.k,
        "multi_topk": False,
        "skip_connection": skip,
        "transcode": ends.target is not None,
        "d_in": dictionary.width,
    }
    artifact.write_json(folder / CONFIG, config)
