"""What stands around a passage is read off the tokenizer; a tokenizer that adds nothing gets nothing."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerFast

from tymbal.corpora.tokens import TextTokenizer
from tymbal.errors import CorpusError


def test_bos_cls_and_sep_are_found(byte_level, wordpiece, metaspace):
    around = [(TextTokenizer(t).before, TextTokenizer(t).after) for t in (byte_level, wordpiece, metaspace)]
    assert around == [((0,), ()), ((2,), (3,)), ((1,), ())]


def test_a_bos_token_that_the_tokenizer_knows_but_does_not_add_is_not_added():
    backend = Tokenizer(models.WordLevel({"<|endoftext|>": 0, "a": 1}, unk_token="<|endoftext|>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = TextTokenizer(PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<|endoftext|>"))
    assert (tokenizer.before, tokenizer.after) == ((), ())


def test_several_tokens_around_a_text_keep_their_order():
    backend = Tokenizer(models.WordLevel({"a": 0, "<b>": 1, "<c>": 2, "<e>": 3, "?": 4}, unk_token="?"))
    backend.add_special_tokens(["<b>", "<c>", "<e>"])
    backend.post_processor = processors.TemplateProcessing(
        single="<b> <c> $A <e>", special_tokens=[("<b>", 1), ("<c>", 2), ("<e>", 3)]
    )
    tokenizer = TextTokenizer(backend)
    assert (tokenizer.before, tokenizer.after) == ((1, 2), (3,))


def test_control_tokens_spelled_out_in_the_text_count_as_special_and_unknown_text_does_not(metaspace, wordpiece):
    for tokenizer, text, special in (
        (TextTokenizer(metaspace), "Lily</s>ran", 2),
        (TextTokenizer(wordpiece), "lily [SEP] 日", 3),
    ):
        (pieces,) = tokenizer.encode([text], offsets=False)
        assert pieces.ids[tokenizer.control(pieces.ids)].tolist() == [special]
    assert tokenizer.encode(["日"], offsets=False)[0].ids.tolist() == [1]  # [UNK]
    assert not tokenizer.control(np.array([1], dtype=np.int32)).any()


def test_offsets_do_not_change_the_tokens_and_truncation_of_the_given_tokenizer_is_left_alone(any_tokenizer):
    backend = getattr(any_tokenizer, "backend_tokenizer", any_tokenizer)
    backend.enable_truncation(5)
    try:
        tokenizer = TextTokenizer(any_tokenizer)
        text = "Lily ran home to her big red cat"
        with_offsets, without = (tokenizer.encode([text], offsets=offsets)[0] for offsets in (True, False))
        assert (with_offsets.ids == without.ids).all()
        assert len(without.ids) > 5
        assert backend.truncation["max_length"] == 5
    finally:
        backend.no_truncation()


def test_the_checksum_tells_tokenizers_apart(byte_level, wordpiece, tiny_llama_folder):
    again = AutoTokenizer.from_pretrained(tiny_llama_folder)
    assert TextTokenizer(byte_level).sha256 == TextTokenizer(again).sha256 != TextTokenizer(wordpiece).sha256


def test_a_tokenizer_without_a_fast_backend_is_refused():
    with pytest.raises(CorpusError, match=r"a fast tokenizer.*got ByT5Tokenizer"):
        TextTokenizer(ByT5Tokenizer())
