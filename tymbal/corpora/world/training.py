"""The recipe of the bundled model: a small Llama trained on the generated world's text.

1. A byte-level BPE is trained on the world's first documents; digits are tokens of their own.
2. Documents are generated shard by shard, one shard ahead of training, each between BOS and EOS in a row of its own:
   what a model's loss is compared with is the probability of one document from its beginning.
3. They are read as by every small model here (`tymbal.corpora.pretraining`).
"""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from tymbal.corpora.pretraining import Progress, claim, new_llama, require_torch, train, write_model
from tymbal.corpora.world.batches import CONTEXT, DocumentBatches
from tymbal.corpora.world.generated import GeneratedWorld, generate_world
from tymbal.corpora.world.recipe import WorldTraining

BOS, EOS, PAD = "<s>", "</s>", "<pad>"


def train_tokenizer(world: GeneratedWorld, documents: int, vocabulary: int = 2_048) -> PreTrainedTokenizerFast:
    """A byte-level BPE of this many entries, trained on the world's first documents."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((world.document(index).text for index in range(documents)), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=PAD, model_max_length=CONTEXT
    )


def new_model(vocabulary: int, seed: int) -> LlamaForCausalLM:
    """The untrained model: about 3 million parameters."""
    return new_llama(vocabulary, width=192, hidden=512, layers=6, heads=6, context=CONTEXT, seed=seed)


def train_world_model(config: WorldTraining, folder: Path, progress: Progress | None = None) -> Path:
    """Train, or go on training, the world's model in `folder`; returns the Hugging Face folder of its fp16 weights.

    Raises `TrainingError` when the loss is not finite or torch is too old for the recipe, `ArtifactError` when the
    folder holds another recipe.
    """
    require_torch()
    claim(folder, config)
    tokenizer = _tokenizer(folder, config)
    model = new_model(len(tokenizer), config.seed)
    state = train(model, config, DocumentBatches(folder, config), folder, progress)
    return write_model(folder, model, tokenizer, config, state)


def _tokenizer(folder: Path, config: WorldTraining) -> PreTrainedTokenizerFast:
    if not (folder / "tokenizer.json").exists():
        train_tokenizer(generate_world(config.seed), config.shard_documents).save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)
