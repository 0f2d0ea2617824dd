"""An edit is told where tokens stand, whoever runs the model and in whatever pieces."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tests.models.conftest import Tiny
from tymbal.models import LanguageModel, PlacedEdit, TokenPlaces, Tokens


@dataclass(frozen=True)
class ByPlace:
    """Adds a vector that depends on position and on prompt or generated; keeps what it was told."""

    site: str
    told: list[TokenPlaces] = field(default_factory=list)

    def require(self, model: LanguageModel) -> None:
        del model

    def at(self, activation: Tensor, places: TokenPlaces) -> Tensor:
        self.told.append(places)
        wave = torch.sin(torch.arange(activation.shape[-1]) * (1.0 + places.positions.unsqueeze(-1)))
        return activation + 3 * wave * (1 + 2 * places.generated.unsqueeze(-1)) * places.real.unsqueeze(-1)


def test_positions_with_a_cache_are_those_of_the_whole_row_in_every_architecture(causal_tiny: Tiny):
    model, edit = causal_tiny.model, ByPlace("resid_post.2")
    prompts = ["Lily saw a big red cat. ", "Lily"]
    with model.edited(edit):
        alone = [model.generate(prompt, max_new_tokens=9) for prompt in prompts]
        together = model.generate_all(prompts, max_new_tokens=9)
    assert isinstance(edit, PlacedEdit)
    assert together == alone
    for prompt, made in zip(prompts, alone, strict=True):
        row = model.tokenize([prompt]).ids[0].tolist()
        with model.edited(edit, prompt=len(row)):
            for _ in range(9):
                token = int(model.logits(torch.tensor([row]))[0, -1].argmax())
                if token == 1:
                    break
                row.append(token)
        assert made == model.tokenizer.decode(row, skip_special_tokens=True)


def test_places_say_padding_and_what_was_generated(causal_tiny: Tiny):
    model, edit = causal_tiny.model, ByPlace("resid_post.1")
    with model.edited(edit):
        model.generate_all(["Lily saw", "Lily"], max_new_tokens=2)
    first, second = edit.told
    lengths = [len(model.tokenize([prompt]).ids[0]) for prompt in ("Lily saw", "Lily")]
    assert first.real.sum(1).tolist() == lengths
    assert not first.generated.any()
    assert second.generated.all()
    assert second.positions.squeeze(1).tolist() == lengths
    assert first.positions[1, -1] == lengths[1] - 1


def test_packed_passages_count_from_their_own_beginning(causal_tiny: Tiny):
    model, edit = causal_tiny.model, ByPlace("resid_post.1")
    tokens = Tokens(
        torch.randint(3, 300, (1, 7)), torch.ones(1, 7, dtype=torch.bool), torch.tensor([[0, 0, 0, 1, 1, 1, 1]])
    )
    with model.edited(edit):
        model.read(tokens, ["resid_post.2"])
    assert edit.told[0].positions.tolist() == [[0, 1, 2, 0, 1, 2, 3]]


def test_the_heads_site_feeds_what_attention_adds(any_tiny: Tiny):
    """Zeroed heads leave of attention only what its projection adds to nothing: the same at every token."""

    @dataclass(frozen=True)
    class Silence:
        site: str

        def __call__(self, activation: Tensor) -> Tensor:
            return torch.zeros_like(activation)

    model, ids = any_tiny.model, torch.randint(3, 300, (2, 6), generator=torch.Generator().manual_seed(0))
    heads = model.read(ids, ["heads.1"])["heads.1"]
    assert heads.shape[-1] == model.heads * model.head_size
    with model.edited(Silence("heads.1")):
        added = model.read(ids, ["attn_out.1"])["attn_out.1"]
    assert torch.allclose(added, added[:1, :1].expand_as(added), atol=1e-6)
    assert not torch.allclose(model.read(ids, ["attn_out.1"])["attn_out.1"], added, atol=1e-3)
