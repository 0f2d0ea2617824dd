"""Dead features become directions that were badly reconstructed."""

import pytest
import torch
from torch.nn.functional import normalize

from tymbal.dictionaries import KINDS, Dictionary, JumpReLU
from tymbal.dictionaries.reconstruction import Rows
from tymbal.dictionaries.revival import replace_dead


def made(kind: type[Dictionary]) -> tuple[Dictionary, torch.optim.Adam]:
    torch.manual_seed(0)
    dictionary = kind(16, 32, 4)
    with torch.no_grad():
        dictionary.encoder.normal_()
        dictionary.decoder.copy_(normalize(torch.randn(32, 16), dim=1))
        if isinstance(dictionary, JumpReLU):
            dictionary.threshold.fill_(0.5)
    optimiser = torch.optim.Adam(dictionary.parameters())
    dictionary(torch.randn(50, 16)).square().sum().backward()
    for parameter in dictionary.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    return dictionary, optimiser


@pytest.mark.parametrize("kind", [KINDS["relu"], KINDS["gated"], JumpReLU])
def test_dead_features_take_the_direction_of_an_error_and_the_rest_stay(kind: type[Dictionary]) -> None:
    dictionary, optimiser = made(kind)
    before = {name: tensor.clone() for name, tensor in dictionary.state_dict().items()}
    x = torch.randn(50, 16)
    x[7] = 1000 * normalize(torch.randn(16), dim=0)  # nearly all of the error is this row's
    error = (x - dictionary(x)).detach()
    dead = torch.tensor([3, 9, 20])
    live = [number for number in range(32) if number not in dead.tolist()]
    replace_dead(dictionary, optimiser, dead, Rows(x, x), seed=1)
    torch.testing.assert_close(dictionary.decoder[dead].detach(), normalize(error[7], dim=0).expand(3, -1))
    usual = before["encoder"][live].norm(dim=1).mean()
    torch.testing.assert_close(dictionary.encoder[dead].norm(dim=1).detach(), (0.2 * usual).expand(3))
    if isinstance(dictionary, JumpReLU):
        torch.testing.assert_close(
            dictionary.threshold[dead].detach(), (0.2 * before["threshold"][live].mean()).expand(3)
        )
    for name, tensor in dictionary.state_dict().items():
        if name != "decoder_bias":
            torch.testing.assert_close(tensor[live], before[name][live])
    assert (optimiser.state[dictionary.encoder]["exp_avg"][dead] == 0).all()
    assert (optimiser.state[dictionary.encoder]["exp_avg"][live] != 0).all()
    assert torch.equal(dictionary.decoder_bias, before["decoder_bias"])


def test_nothing_happens_where_all_are_alive_or_all_dead() -> None:
    dictionary, optimiser = made(KINDS["relu"])
    before = dictionary.encoder.clone()
    x = torch.randn(50, 16)
    for dead in (torch.tensor([], dtype=torch.int64), torch.arange(32)):
        replace_dead(dictionary, optimiser, dead, Rows(x, x), seed=1)
        assert torch.equal(dictionary.encoder, before)
