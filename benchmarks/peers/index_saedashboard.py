"""Index features with SAEDashboard: `python index_saedashboard.py JOB`, in its own environment.

The model is handed over as Hugging Face weights and becomes TransformerLens's; the dictionary is read by SAELens.
Prints one JSON object: CPU seconds of `SaeVisRunner.run` for each number of features asked for, in one batch each,
and the share of tokens on which these features are active, for a check that both index the same.
"""

import json
import sys
import time
from pathlib import Path

import torch
from sae_dashboard.sae_vis_data import SaeVisConfig
from sae_dashboard.sae_vis_runner import SaeVisRunner
from sae_lens import SAE, HookedSAETransformer
from safetensors.torch import load_file
from transformer_lens import HookedTransformerConfig
from transformer_lens.pretrained.weight_conversions import convert_llama_weights
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


def hooked(folder: str, job_folder: Path) -> HookedSAETransformer:
    """A Llama from a local folder, its weights unprocessed."""
    llama = LlamaForCausalLM.from_pretrained(folder)
    its = llama.config
    config = HookedTransformerConfig(
        n_layers=its.num_hidden_layers,
        d_model=its.hidden_size,
        n_ctx=its.max_position_embeddings,
        d_head=its.hidden_size // its.num_attention_heads,
        n_heads=its.num_attention_heads,
        n_key_value_heads=its.num_key_value_heads if its.num_key_value_heads != its.num_attention_heads else None,
        d_mlp=its.intermediate_size,
        d_vocab=its.vocab_size,
        act_fn="silu",
        eps=its.rms_norm_eps,
        normalization_type="RMS",
        positional_embedding_type="rotary",
        rotary_base=its.rope_theta,
        rotary_dim=its.hidden_size // its.num_attention_heads,
        rotary_adjacent_pairs=False,
        final_rms=True,
        gated_mlp=True,
        original_architecture="LlamaForCausalLM",
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=f"{folder}/tokenizer.json",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
    )
    # TransformerLens opens it anew from where it lies, by a class of transformers 4.
    tokenizer.save_pretrained(job_folder / "tokenizer")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(job_folder / "tokenizer")
    model = HookedSAETransformer(config, tokenizer=tokenizer)
    model.load_and_process_state_dict(
        convert_llama_weights(llama, config), fold_ln=False, center_writing_weights=False, center_unembed=False
    )
    return model


def main() -> None:
    """Index and print."""
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(1)
    model = hooked(job["model"], Path(sys.argv[1]).parent)
    tokens = load_file(job["tokens"])["tokens"].long()
    seconds = {}
    for features in job["features"]:
        # Read anew each time, as running folds the decoder's norms in place.
        dictionary = SAE.load_from_disk(job["dictionary"])
        # SAEDashboard folds the decoder's norms, which SAELens allows where they scale activations; all of them are 1.
        assert torch.allclose(dictionary.W_dec.norm(dim=1), torch.ones(dictionary.cfg.d_sae))
        dictionary.cfg.rescale_acts_by_decoder_norm = True
        config = SaeVisConfig(hook_point=job["hook_point"], features=list(range(features)))
        begun = time.process_time()
        found = SaeVisRunner(config).run(encoder=dictionary, model=model, tokens=tokens)
        seconds[features] = time.process_time() - begun
    titles = [data.acts_histogram_data.title for data in found.feature_data_dict.values()]
    density = [float(title.rpartition("= ")[2].rstrip("%")) / 100 for title in titles]
    print(json.dumps({"seconds": seconds, "density": density}))


if __name__ == "__main__":
    main()
