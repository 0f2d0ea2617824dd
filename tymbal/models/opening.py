"""Open a model from a local folder or from the Hugging Face hub.

1. find the folder (a hub id is fetched: first its config and tokenizer, its weights once the architecture is known);
2. look its architecture up in the table;
3. load it with transformers: safetensors only, no code from the folder, nothing left at random values.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError, StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from tymbal.artifact import CONFIG, read_json
from tymbal.errors import ArtifactError, ModelError, listed
from tymbal.models.architecture import Architecture, architecture_of
from tymbal.models.language_model import LanguageModel
from tymbal.models.weights import require_config_and_tokenizer, weight_files

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_SMALL_FILES = ["*.json", "*.txt", "*.model"]
_WEIGHTS = ["model*.safetensors"]
_BELOW_TOP = ["*/*"]
# What transformers, tokenizers and safetensors raise over a folder they cannot use.
_LOADING_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    SafetensorError,
    StrictDataclassError,
)


def open_model(
    name: str | Path,
    *,
    device: str = "cpu",
    dtype: str | None = None,
    revision: str | None = None,
    attention: str | None = None,
) -> LanguageModel:
    """Open a model by local folder or hub id.

    `dtype` is float32, bfloat16 or float16; None means float32 on a CPU and as stored elsewhere. `revision` is a hub
    branch, tag or commit. `attention` is sdpa or eager; None means the first that the architecture has. Raises
    `ModelError`, one line, for whatever cannot be opened.
    """
    torch_device = _device(device)
    torch_dtype = _dtype(dtype, torch_device)
    folder, commit = _find(name, revision)
    architecture = _architecture(folder)
    kernel = _attention(attention, architecture)
    if commit is not None:
        _download(str(name), commit, _WEIGHTS)
    weight_files(folder)
    with _quiet(), _one_line(folder):
        tokenizer = _load_tokenizer(folder)
        torch_model = _load(folder, architecture, torch_dtype, kernel)
    torch.nn.Module.to(torch_model, torch_device)
    return LanguageModel(torch_model, tokenizer, architecture, name=str(name), folder=folder, revision=commit)


def _load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError(
            expected=f"a fast tokenizer (tokenizer.json) in {folder}",
            got=type(tokenizer).__name__,
            do="save the tokenizer with save_pretrained in that form",
        )
    return tokenizer


def _load(folder: Path, architecture: Architecture, dtype: torch.dtype | str, attention: str) -> PreTrainedModel:
    known: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **known)
    # An encoder's pooler is a head for sentence pairs, which many folders lack and nothing here reads.
    kind: Any = AutoModelForCausalLM if architecture.causal else AutoModel
    more = {} if architecture.causal else {"add_pooling_layer": False}
    model, report = kind.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        attn_implementation=attention,
        use_safetensors=True,
        output_loading_info=True,
        **known,
        **more,
    )
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            expected=f"every weight of a {architecture.model_type} model in {folder}",
            got=f"none for {listed(missing, most=3)}",
            do="name a complete model folder",
        )
    return model


def _find(name: str | Path, revision: str | None) -> tuple[Path, str | None]:
    """The folder, and for a hub model its commit."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ModelError(expected="no revision for a local folder", got=f"revision {revision!r}", do="leave it out")
        require_config_and_tokenizer(folder)
        return folder, None
    if isinstance(name, Path) or str(name).count("/") > 1 or str(name).startswith((".", "/", "~")):
        what = "a file" if folder.exists() else "nothing there"
        raise ModelError(expected=f"a model folder at {name}", got=what, do="check the path")
    snapshot = _download(str(name), revision, _SMALL_FILES)
    require_config_and_tokenizer(snapshot)
    return snapshot, snapshot.name


def _download(name: str, revision: str | None, patterns: list[str]) -> Path:
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns, ignore_patterns=_BELOW_TOP))
    except LocalEntryNotFoundError as error:
        raise ModelError(
            expected=f"the Hugging Face hub to answer for {name!r}, which is no local folder",
            got="no answer, and no copy on this machine",
            do="connect to the network, or give a local folder, which works too",
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            expected=f"a local folder or a model on the Hugging Face hub named {name!r}",
            got=f"{type(error).__name__} ({_first_line(error)})",
            do="check the id and revision, or give a local folder, which works too",
        ) from error


def _architecture(folder: Path) -> Architecture:
    try:
        config = read_json(folder / CONFIG)
    except ArtifactError as error:
        raise ModelError(
            expected=f"JSON in {folder / CONFIG}", got="a damaged file", do="fetch the model again"
        ) from error
    if not isinstance(config, dict):
        raise ModelError(
            expected=f"a JSON object in {folder / CONFIG}", got=type(config).__name__, do="fetch the model again"
        )
    return architecture_of(config)


def _device(device: str) -> torch.device:
    try:
        torch_device = torch.device(device)
        torch.empty(0, device=torch_device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        known = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
        raise ModelError(
            expected=f"a device of this machine: {listed(known)}", got=repr(device), do="name one of these"
        ) from error
    return torch_device


def _dtype(dtype: str | None, device: torch.device) -> torch.dtype | str:
    if dtype is None:
        return torch.float32 if device.type == "cpu" else "auto"
    if dtype not in DTYPES:
        raise ModelError(expected=f"a dtype among {listed(DTYPES)}", got=repr(dtype), do="name one of these")
    return DTYPES[dtype]


def _attention(attention: str | None, architecture: Architecture) -> str:
    if attention is None:
        return architecture.attention[0]
    if attention not in architecture.attention:
        raise ModelError(
            expected=f"an attention implementation of {architecture.model_type}: {listed(architecture.attention)}",
            got=repr(attention),
            do="name one of these",
        )
    return attention


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' log and progress bars, then put them back as they were."""
    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()


@contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    """Turn whatever loading raises into one line that names the folder."""
    try:
        yield
    except _LOADING_ERRORS as error:
        raise ModelError(
            expected=f"a model that transformers can load in {folder}",
            got=f"{type(error).__name__} ({_first_line(error)})",
            do="check that the folder is complete",
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else "no message"
