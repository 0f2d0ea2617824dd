"""A Hugging Face model that can be read and edited at its sites; the model itself stays as it was loaded.

Reading attaches one hook a site to the bare backbone, runs it in inference mode without a key-value cache, and stops as
soon as the last wanted activation is there. Every hook is removed when its call or its `with` block ends, also by an
exception.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tymbal.errors import ModelError
from tymbal.models.architecture import Architecture, Norm, submodule
from tymbal.models.edits import Edit, PlacedEdit, as_hook, attach
from tymbal.models.generation import generated_ids, prompt_rows, stepped_ids, token_rows
from tymbal.models.places import PlaceFinder
from tymbal.models.sites import Site, SiteKind, parse_site
from tymbal.models.token_text import running_text, token_text
from tymbal.models.tokens import Tokens, forward_inputs, require_fitting
from tymbal.models.weights import weights_identity


class _AllRead(Exception):  # noqa: N818 - no error: it ends a forward pass whose rest nobody wants
    """Raised by the last reading hook."""


class LanguageModel:
    """A model, its tokenizer and its sites. Make one with `open_model`."""

    def __init__(
        self,
        torch_model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        architecture: Architecture,
        *,
        name: str,
        folder: Path,
        revision: str | None,
    ) -> None:
        self.torch_model = torch_model.eval()
        self.tokenizer = tokenizer
        self.architecture = architecture
        self.name = name
        self.revision = revision
        self._folder = folder
        self._config = torch_model.config.get_text_config()
        self._backbone = submodule(torch_model, architecture, architecture.backbone)
        self._blocks = submodule(self._backbone, architecture, architecture.blocks)

    @property
    def width(self) -> int:
        """Units of one activation."""
        return self._config.hidden_size

    @property
    def layers(self) -> int:
        """Blocks."""
        return self._config.num_hidden_layers

    @property
    def heads(self) -> int:
        """Attention heads of a block."""
        return self._config.num_attention_heads

    @property
    def head_size(self) -> int:
        """Units of one attention head."""
        # Configurations without the field divide the width evenly.
        return self._config.to_dict().get("head_dim") or self.width // self.heads

    @property
    def context(self) -> int:
        """The most tokens a passage can have."""
        return self._config.max_position_embeddings

    @property
    def vocabulary(self) -> int:
        """Token ids the model knows: 0 to `vocabulary` - 1."""
        return self._config.vocab_size

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.torch_model.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        return self.torch_model.dtype

    @property
    def causal(self) -> bool:
        """Whether it predicts the next token; an encoder reads only."""
        return self.architecture.causal

    @property
    def attention(self) -> str:
        """The attention implementation: `sdpa` or `eager`."""
        return str(self._config._attn_implementation)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the model is, for provenance: JSON values, with checksums of its files (read from disk at first use)."""
        return {
            "name": self.name,
            "revision": self.revision,
            "architecture": self.architecture.model_type,
            "width": self.width,
            "layers": self.layers,
            "vocabulary": self.vocabulary,
            "dtype": str(self.dtype).removeprefix("torch."),
            "attention": self.attention,
            **weights_identity(self._folder),
        }

    def sites(self) -> list[str]:
        """Names of all sites of the residual width, in the order in which a forward pass meets them.

        `heads.L` is a site too; its width is heads times head size.
        """
        in_block = [kind for kind in SiteKind if kind not in (SiteKind.EMBED, SiteKind.HEADS)]
        return ["embed", *(str(Site(kind, layer)) for layer in range(self.layers) for kind in in_block)]

    def site(self, name: str) -> str:
        """The canonical name of a site; raises `ModelError` for one that this model lacks."""
        return str(self._site(name))

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Texts as tokens, padded on the right, with the special tokens that the tokenizer puts around a text."""
        if isinstance(texts, str):
            raise ValueError("texts must be a sequence of texts, got one text")
        return Tokens.from_rows(token_rows(self.tokenizer, texts))

    def token_text(self, ids: Sequence[int]) -> list[str]:
        """Each token as it reads in text, its leading space kept; a fragment of a character reads "�"."""
        return token_text(self.tokenizer, ids)

    def running_text(self, ids: Sequence[int]) -> list[str]:
        """Each token as it reads after those before it; a character of several tokens stands at the first of them."""
        return running_text(self.tokenizer, ids)

    def read(
        self, tokens: Tokens | Int[Tensor, "batch token"], sites: Sequence[str]
    ) -> dict[str, Float[Tensor, "batch token width"]]:
        """The activations at these sites, under the names given; edits apply. At padding they mean nothing."""
        wanted = {name: self._site(name) for name in sites}
        if not wanted:
            raise ValueError("sites must name at least one site, got none")
        inputs = self._inputs(tokens)
        found: dict[Site, Tensor] = {}
        with ExitStack() as hooks, torch.inference_mode():
            for site in set(wanted.values()):
                self._attach_reader(hooks, site, found, len(set(wanted.values())))
            with suppress(_AllRead):
                self._backbone(**inputs)
        # Copies made outside inference mode are plain tensors, on which training can build.
        plain = {site: found.pop(site).clone() for site in list(found)}
        return {name: plain[site] for name, site in wanted.items()}

    @torch.no_grad()
    def logits(self, tokens: Tokens | Int[Tensor, "batch token"]) -> Float[Tensor, "batch token vocabulary"]:
        """Next-token logits (nats, unnormalised); edits apply. Raises `ModelError` for an encoder."""
        self._require_causal("logits")
        return self.torch_model(**self._inputs(tokens)).logits

    def pooled(self, tokens: Tokens | Int[Tensor, "batch token"]) -> Float[Tensor, "batch width"]:
        """One vector of length 1 a row: the mean of the last block's output over real tokens; edits apply.

        For sentence encoders such as all-MiniLM this is the embedding they were trained for (Reimers & Gurevych 2019).
        """
        tokens = _as_tokens(tokens)
        if tokens.passages is not None:
            raise ValueError("pooled takes one passage a row, got packed passages")
        last = str(Site(SiteKind.RESID_POST, self.layers - 1))
        activations = self.read(tokens, [last])[last]
        weights = tokens.mask.to(activations).unsqueeze(-1)
        mean = (activations * weights).sum(1) / weights.sum(1).clamp(min=1)
        return nn.functional.normalize(mean, dim=-1)

    @contextmanager
    def edited(self, *edits: Edit | PlacedEdit, prompt: int | Sequence[int] | None = None) -> Iterator["LanguageModel"]:
        """Apply edits to everything the model does inside the `with` block, also when other code calls it.

        At each site edits apply in the order given, those of outer blocks first; what is read there is what they made.
        `prompt` says how many real tokens of each row are the prompt (one number, or one a row), where whole rows are
        run anew for each token; with None, tokens that come into a filled cache count as generated. Leaving the block,
        also by an exception, leaves the model as it was. Raises `ModelError` for an unknown site, and for an edit that
        does not fit this model, before anything is changed.
        """
        finder = PlaceFinder(prompt)
        sites = [self._site(edit.site) for edit in edits]
        needing = [edit for edit in edits if isinstance(edit, PlacedEdit)]
        for edit in needing:
            edit.require(self)
        with ExitStack() as hooks:
            for handle in finder.attach(self.torch_model, self._backbone) if needing else ():
                hooks.callback(handle.remove)
            for site, hook in zip(sites, [as_hook(edit, finder) for edit in edits], strict=True):
                hooks.callback(attach(self._module_at(site), site.kind, hook).remove)
            yield self

    def generate(self, prompt: str, *, max_new_tokens: int = 80, temperature: float = 0.0, seed: int = 0) -> str:
        """The prompt and how the model continues it; edits apply.

        Temperature 0 takes the likeliest token each time; above 0 tokens are drawn, the same ones for the same seed.
        Ends at the end-of-text token, after `max_new_tokens`, or when the context is full. Raises `ModelError` for an
        encoder and for a prompt that fills the context.
        """
        return self.generate_all([prompt], max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)[0]

    def generate_all(
        self, prompts: Sequence[str], *, max_new_tokens: int = 80, temperature: float = 0.0, seed: int = 0
    ) -> list[str]:
        """Each prompt and its continuation, as `generate` with seeds `seed`, `seed + 1`, …, in one padded batch."""
        given, count = self._begun(prompts, max_new_tokens, temperature)
        seeds = range(seed, seed + len(given))
        new = generated_ids(self.torch_model, given, count=count, temperature=temperature, seeds=seeds)
        return [self._joined(*row) for row in zip(prompts, given, new, strict=True)]

    def stream_all(
        self, prompts: Sequence[str], *, max_new_tokens: int = 80, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[list[str]]:
        """What `generate_all` gives, as it grows: after each token, each prompt with its continuation so far.

        All rows have the same seed, so that rows of one prompt differ only by the edits on them. An edit that is to
        apply must apply until the stream has ended.
        """
        given, count = self._begun(prompts, max_new_tokens, temperature)
        new: list[list[int]] = [[] for _ in given]
        seeds = [seed] * len(given)
        for tokens in stepped_ids(self.torch_model, given, count=count, temperature=temperature, seeds=seeds):
            for row, token in zip(new, tokens, strict=True):
                if token is not None:
                    row.append(token)
            yield [self._joined(*row) for row in zip(prompts, given, new, strict=True)]

    def _begun(self, prompts: Sequence[str], max_new_tokens: int, temperature: float) -> tuple[list[list[int]], int]:
        """The prompts' tokens, and for how many more there is room."""
        self._require_causal("generated text")
        if max_new_tokens < 0 or temperature < 0:
            raise ValueError(f"max_new_tokens and temperature must be >= 0, got {max_new_tokens} and {temperature}")
        if isinstance(prompts, str) or not prompts:
            raise ValueError("prompts must be a sequence of at least one text")
        given = prompt_rows(self.tokenizer, prompts)
        room = self.context - max(map(len, given))
        if room < 1:
            raise ModelError(
                expected=f"a prompt of fewer than {self.context} tokens, the model's context",
                got=f"{max(map(len, given))} tokens",
                do="shorten the prompt",
            )
        return given, min(max_new_tokens, room)

    @torch.no_grad()
    def output_directions(self, directions: Float[Tensor, "row width"]) -> Float[Tensor, "row vocabulary"]:
        """How much each direction of the last residual stream raises each token's logit, per unit of its length.

        The final norm's linear part (its weight, and for a LayerNorm the centring of the direction) is folded into the
        unembedding; its division by the activation's size and its bias are left out ("logit lens", nostalgebraist
        2020). Raises `ModelError` for an encoder.
        """
        self._require_causal("output directions")
        assert self.architecture.final_norm is not None
        assert self.architecture.unembedding is not None
        norm = submodule(self._backbone, self.architecture, self.architecture.final_norm)
        unembedding = submodule(self.torch_model, self.architecture, self.architecture.unembedding)
        directions = directions.to(unembedding.weight)
        if self.architecture.norm is Norm.LAYER:
            directions = directions - directions.mean(-1, keepdim=True)
        weight = norm.weight + 1 if self.architecture.norm is Norm.RMS_FROM_ONE else norm.weight
        return (directions * weight) @ unembedding.weight.T

    def _site(self, name: str) -> Site:
        site = parse_site(name)
        if site.layer is not None and site.layer >= self.layers:
            raise ModelError(
                expected=f"a block from 0 to {self.layers - 1} of {self.name}", got=repr(name), do="name one of these"
            )
        return site

    def _module_at(self, site: Site) -> nn.Module:
        if site.layer is None:
            return submodule(self._backbone, self.architecture, self.architecture.embed)
        block = submodule(self._blocks, self.architecture, str(site.layer))
        paths: Mapping[SiteKind, str] = {
            SiteKind.HEADS: self.architecture.heads,
            SiteKind.ATTN_OUT: self.architecture.attn_out,
            SiteKind.MLP_OUT: self.architecture.mlp_out,
        }
        return submodule(block, self.architecture, paths.get(site.kind, ""))

    def _attach_reader(self, hooks: ExitStack, site: Site, found: dict[Site, Tensor], wanted: int) -> None:
        def keep(activation: Tensor) -> None:
            found[site] = activation
            if len(found) == wanted:
                raise _AllRead

        hooks.callback(attach(self._module_at(site), site.kind, keep).remove)

    def _inputs(self, tokens: Tokens | Int[Tensor, "batch token"]) -> dict[str, Any]:
        tokens = _as_tokens(tokens)
        require_fitting(tokens, self.context, self.vocabulary, self.name)
        return forward_inputs(
            tokens.to(self.device),
            self.architecture.masks,
            causal=self.causal,
            window=self._window,
            eager=self.attention == "eager",
        )

    @cached_property
    def _window(self) -> int | None:
        # Plain Llama-like configs have no such field; those that have it set it to None for "no window".
        return self._config.to_dict().get("sliding_window")

    def _require_causal(self, what: str) -> None:
        if not self.causal:
            raise ModelError(
                expected=f"a model that predicts the next token, for {what}",
                got=f"{self.name}, an encoder ({self.architecture.model_type})",
                do="use read or pooled, or open another model",
            )

    def _text(self, ids: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _joined(self, prompt: str, prompt_ids: Sequence[int], new: Sequence[int]) -> str:
        before = self._text(prompt_ids)
        after = self._text([*prompt_ids, *new])
        if not after.startswith(before):
            return prompt + self._text(new)
        return prompt + after[len(before) :]


def _as_tokens(tokens: Tokens | Int[Tensor, "batch token"]) -> Tokens:
    if isinstance(tokens, Tokens):
        return tokens
    return Tokens(tokens, torch.ones_like(tokens, dtype=torch.bool))
