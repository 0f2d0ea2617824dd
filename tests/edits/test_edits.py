"""Each edit changes what it says and nothing else; with a cache, in batches and under padding as without."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tymbal.dictionaries import Ends, Target, TopK
from tymbal.edits import Ablate, Clamp, Erase, EraserFitter, Patch, Project, Scale, Steer, Where, head_units
from tymbal.errors import ModelError
from tymbal.models import LanguageModel, PlacedEdit, Tokens

SITE = "resid_post.1"
PROMPTS = ["Once upon a time", "Lily", "The cat was happy. Lily ran"]
PROMPT_IDS = torch.tensor([[0, 70, 71, 72, 73, 74]])


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _eraser():
    x = _random(400, 32) + torch.arange(400).remainder(2).unsqueeze(1)
    return EraserFitter(32, 2).update(x, torch.arange(400).remainder(2)).fit()


EDITS: dict[str, Callable[[TopK], PlacedEdit]] = {
    "steer": lambda _: Steer(4 * _random(32), site=SITE),
    "steer, relative": lambda _: Steer(_random(32), site=SITE, strength=0.7, relative=True),
    "steer, decaying": lambda _: Steer(9 * _random(32), site=SITE, half_life=3.0),
    "steer the prompt": lambda _: Steer(9 * _random(32), site=SITE, where=Where(tokens="prompt")),
    "steer what is generated": lambda _: Steer(9 * _random(32), site=SITE, where=Where(tokens="generated")),
    "steer some positions": lambda _: Steer(9 * _random(32), site="embed", where=Where(start=2, stop=9)),
    "clamp": lambda dictionary: Clamp(dictionary, feature=3, value=20.0),
    "scale": lambda dictionary: Scale(dictionary, feature=60, factor=-4.0, where=Where(start=1)),
    "zero": lambda _: Ablate.zero(site="mlp_out.2"),
    "mean": lambda _: Ablate.mean(_random(32), site="attn_out.0"),
    "resample": lambda _: Ablate.resample(_random(50, 32), site=SITE, seed=3),
    "directions": lambda _: Ablate.directions(_random(9, 32), site=SITE),
    "project": lambda _: Project(_random(20, 32), site=SITE, centre=_random(32, seed=1)),
    "erase": lambda _: Erase(_eraser(), site=SITE),
    "patch": lambda _: Patch(5 * _random(1, 4, 32), site=SITE, positions=[1, 3]),
    "patch heads": lambda _: Patch(5 * _random(1, 4, 32), site="heads.2", units=range(8)),
}


@pytest.fixture(params=EDITS)
def edit(request: pytest.FixtureRequest, dictionary: TopK) -> PlacedEdit:
    return EDITS[request.param](dictionary)


def _anew(model: LanguageModel, ids: list[int], edits: list[PlacedEdit], count: int) -> list[int]:
    """Greedy continuation that runs the whole row anew for each token."""
    row = list(ids)
    with model.edited(*edits, prompt=len(ids)):
        for _ in range(count):
            token = int(model.logits(torch.tensor([row]))[0, -1].argmax())
            if token == 1:
                break
            row.append(token)
    return row[len(ids) :]


def _text(model: LanguageModel, prompt: str, new: list[int]) -> str:
    return model.tokenizer.decode([*model.tokenize([prompt]).ids[0].tolist(), *new], skip_special_tokens=True)


def test_every_edit_changes_the_logits_and_leaves_the_model_as_it_was(model: LanguageModel, edit: PlacedEdit):
    prompt = 3 if "generated" in str(getattr(edit, "where", "")) else None
    before = model.logits(PROMPT_IDS)
    with model.edited(edit, prompt=prompt):
        assert not torch.allclose(model.logits(PROMPT_IDS), before, atol=1e-3)
    assert torch.equal(model.logits(PROMPT_IDS), before)
    with pytest.raises(RuntimeError, match="on purpose"), model.edited(edit):
        raise RuntimeError("on purpose")
    assert torch.equal(model.logits(PROMPT_IDS), before)


def test_generation_with_a_cache_is_that_of_whole_rows_run_anew(model: LanguageModel, edit: PlacedEdit):
    for prompt in PROMPTS:
        ids = model.tokenize([prompt]).ids[0].tolist()
        with model.edited(edit):
            made = model.generate(prompt, max_new_tokens=12)
        assert made == _text(model, prompt, _anew(model, ids, [edit], 12))


def test_a_batch_padded_on_the_left_says_what_each_row_says_alone(model: LanguageModel, edit: PlacedEdit):
    if isinstance(edit, Ablate) and edit.width is not None and "drawn" in repr(edit.replacement):
        pytest.skip("draws differ from row to row on purpose")
    with model.edited(edit):
        alone = [model.generate(prompt, max_new_tokens=10) for prompt in PROMPTS]
        assert model.generate_all(PROMPTS, max_new_tokens=10) == alone


def test_edits_apply_when_transformers_own_generate_calls_the_model(model: LanguageModel, edit: PlacedEdit):
    given = Tokens.from_rows([model.tokenize([prompt]).ids[0].tolist() for prompt in PROMPTS], fill=2, left=True)
    with model.edited(edit):
        ours = model.generate_all(PROMPTS, max_new_tokens=8)
        made = model.torch_model.generate(
            given.ids, attention_mask=given.mask.long(), max_new_tokens=8, do_sample=False, pad_token_id=2
        )
    assert [model.tokenizer.decode(row, skip_special_tokens=True) for row in made] == ours


def test_three_edits_compose_in_the_order_given(model: LanguageModel, dictionary: TopK):
    edits = [EDITS[name](dictionary) for name in ("steer", "clamp", "erase")]
    ids = model.tokenize([PROMPTS[0]]).ids[0].tolist()
    with model.edited(*edits):
        there = model.read(PROMPT_IDS, [SITE])[SITE]
        made = model.generate(PROMPTS[0], max_new_tokens=12)
    assert made == _text(model, PROMPTS[0], _anew(model, ids, edits, 12))
    with model.edited(*edits[::-1]):
        assert not torch.allclose(model.read(PROMPT_IDS, [SITE])[SITE], there, atol=1e-3)
    x = model.read(PROMPT_IDS, [SITE])[SITE] + 4 * _random(32)
    value = (dictionary.encode(x).values * (dictionary.encode(x).indices == 3)).sum(-1, keepdim=True)
    expected = edits[2].eraser(x + (20.0 - value) * dictionary.decoder[3])
    torch.testing.assert_close(there, expected, rtol=1e-4, atol=1e-4)


def test_padding_is_never_changed_and_positions_do_not_count_it(model: LanguageModel):
    tokens = Tokens.from_rows([[0, 70, 71, 72], [0, 70]], left=True)
    plain = model.read(tokens, ["embed"])["embed"]
    with model.edited(Steer(_random(32), site="embed", where=Where(start=1, stop=2))):
        moved = (model.read(tokens, ["embed"])["embed"] - plain).abs().sum(-1) > 0
    assert moved.tolist() == [[False, True, False, False], [False, False, False, True]]
    with model.edited(Steer(_random(32), site="embed")):
        moved = (model.read(tokens, ["embed"])["embed"] - plain).abs().sum(-1) > 0
    assert torch.equal(moved, tokens.mask)


def test_a_decaying_vector_halves_every_half_life(model: LanguageModel):
    plain = model.read(PROMPT_IDS, ["embed"])["embed"]
    with model.edited(Steer(torch.ones(32), site="embed", strength=8.0, half_life=1.0, where=Where(start=1))):
        moved = (model.read(PROMPT_IDS, ["embed"])["embed"] - plain)[0, :, 0]
    torch.testing.assert_close(moved, torch.tensor([0.0, 8, 4, 2, 1, 0.5]), rtol=1e-4, atol=1e-4)


def test_clamping_keeps_the_error_term(model: LanguageModel, dictionary: TopK):
    x = model.read(PROMPT_IDS, [SITE])[SITE]
    codes = dictionary.encode(x)
    feature = int(codes.indices[0, 2, 0])
    with model.edited(Clamp(dictionary, feature=feature, value=7.0)):
        moved = model.read(PROMPT_IDS, [SITE])[SITE] - x
    values = (codes.values * (codes.indices == feature)).sum(-1)
    torch.testing.assert_close(moved, (7.0 - values).unsqueeze(-1) * dictionary.decoder[feature], rtol=1e-3, atol=1e-4)
    with model.edited(Scale(dictionary, feature=feature, factor=1.0)):
        assert torch.equal(model.read(PROMPT_IDS, [SITE])[SITE], x)


def test_directional_ablation_and_projection_share_an_activation_between_them(model: LanguageModel):
    directions = _random(3, 32)
    x = model.read(PROMPT_IDS, [SITE])[SITE]
    parts = []
    for edit in (Ablate.directions(directions, site=SITE), Project(directions, site=SITE)):
        with model.edited(edit):
            parts.append(model.read(PROMPT_IDS, [SITE])[SITE])
    torch.testing.assert_close(sum(parts), x, rtol=1e-4, atol=1e-4)
    assert float((parts[0] @ directions.T).abs().max()) < 1e-3 * float(x.abs().max())


def test_patching_every_position_makes_the_other_run(model: LanguageModel):
    other = torch.tensor([[0, 90, 91, 92, 93, 94]])
    source = model.read(other, [SITE])[SITE]
    with model.edited(Patch(source, site=SITE)):
        torch.testing.assert_close(model.logits(PROMPT_IDS), model.logits(other))
    with model.edited(Patch(source, site=SITE, positions={2: 4})):
        x = model.read(PROMPT_IDS, [SITE])[SITE]
    assert torch.equal(x[0, 2], source[0, 4])
    assert torch.equal(x[0, [0, 1, 3, 4, 5]], model.read(PROMPT_IDS, [SITE])[SITE][0, [0, 1, 3, 4, 5]])


def test_patching_all_heads_is_patching_attention(model: LanguageModel):
    other = torch.tensor([[0, 90, 91, 92, 93, 94]])
    heads, added = (model.read(other, [site])[site] for site in ("heads.2", "attn_out.2"))
    changes = []
    for units in ([0], [1], [2], [3], [0, 1, 2, 3]):
        with model.edited(Patch(heads, site="heads.2", units=head_units(model, units))):
            changes.append(model.read(PROMPT_IDS, ["attn_out.2"])["attn_out.2"])
    plain = model.read(PROMPT_IDS, ["attn_out.2"])["attn_out.2"]
    torch.testing.assert_close(changes[-1], added, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(sum(change - plain for change in changes[:4]), added - plain, rtol=1e-3, atol=1e-3)


def test_resampled_rows_are_the_same_for_a_seed_and_come_from_the_pool(model: LanguageModel):
    pool = _random(40, 32)
    found = []
    for seed in (0, 0, 1):
        with model.edited(Ablate.resample(pool, site=SITE, seed=seed)):
            found.append(model.read(PROMPT_IDS.repeat(30, 1), [SITE])[SITE].reshape(-1, 32))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    which = torch.cdist(found[0], pool).argmin(1)
    assert torch.equal(pool[which], found[0])
    assert len(which.unique()) > 35


BAD: dict[str, tuple[Callable[[TopK], PlacedEdit], str]] = {
    "a vector of another width": (lambda _: Steer(torch.ones(31), site=SITE), "width 32, that of"),
    "a site the model lacks": (lambda _: Steer(torch.ones(32), site="resid_post.9"), "block from 0 to 3"),
    "another site than the dictionary's": (
        lambda dictionary: Clamp(dictionary, feature=0, value=1.0, at_site="resid_post.2"),
        r"the site of the dictionary, resid_post.1; got resid_post.2",
    ),
    "a strength that overflows": (
        lambda _: Steer(torch.ones(32) * 3e38, site=SITE, strength=2.0),
        "lower its strength",
    ),
    "a patch of too many rows": (lambda _: Patch(torch.zeros(3, 2, 32), site=SITE), "1 or 1 rows"),
    "a position the source lacks": (lambda _: Patch(torch.zeros(1, 2, 32), site=SITE, positions=[4]), "from 0 to 1"),
    "an ablation of another width": (lambda _: Ablate.mean(torch.zeros(5), site=SITE), "width 5"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_one_line(model: LanguageModel, dictionary: TopK, case: str):
    make, message = BAD[case]
    before = model.logits(PROMPT_IDS)
    with pytest.raises(ModelError, match=message) as raised, model.edited(make(dictionary)):
        model.logits(PROMPT_IDS)
    assert "\n" not in str(raised.value)
    assert torch.equal(model.logits(PROMPT_IDS), before)


def test_a_dictionary_of_another_model_is_refused_by_its_recorded_identity(model: LanguageModel, dictionary: TopK):
    dictionary.model = {**model.identity, "weights_sha256": "0" * 64, "name": "somebody else"}
    with (
        pytest.raises(ModelError, match="somebody else, whose weights_sha256 differs"),
        model.edited(Clamp(dictionary, feature=0, value=1.0)),
    ):
        pass
    dictionary.model = {}
    with model.edited(Clamp(dictionary, feature=0, value=1.0)):
        pass


def test_a_feature_that_writes_elsewhere_than_it_reads_cannot_be_clamped():
    transcoder = TopK(32, 64, 8, site=SITE, ends=Ends(target=Target(width=32, site="mlp_out.1")))
    with pytest.raises(ModelError, match="reads and writes one site"):
        Clamp(transcoder, feature=0, value=1.0)


def test_values_that_no_edit_can_have_are_refused(dictionary: TopK):
    with pytest.raises(ValueError, match="feature from 0 to 63"):
        Clamp(dictionary, feature=64, value=1.0)
    with pytest.raises(ValueError, match="finite"):
        Steer(torch.ones(32), site=SITE, strength=float("inf"))
    with pytest.raises(ValueError, match="half-life"):
        Steer(torch.ones(32), site=SITE, half_life=0.0)
    with pytest.raises(ValueError, match="start < stop"):
        Where(start=3, stop=2)
    with pytest.raises(ValueError, match="not all zero"):
        Ablate.directions(torch.zeros(1, 32), site=SITE)
