"""Fresh models of transformers, from small configurations: no fault in any."""

import warnings

import pytest

from fastinit.audit import audit
from fastinit.weights import of_array

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SMALL = {
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "dim", "word_embed_proj_dim"), 96),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers", "decoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "num_heads", "n_heads", "encoder_attention_heads",
                     "decoder_attention_heads", "num_local_experts", "num_experts"), 4),
    **dict.fromkeys(("intermediate_size", "d_ff", "hidden_dim", "encoder_ffn_dim", "decoder_ffn_dim", "ffn_dim"), 160),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 128), **dict.fromkeys(("head_dim", "d_kv"), 24),
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank"), 32), "num_key_value_heads": 2, "vocab_size": 1000, "embedding_size": 64,
    "moe_intermediate_size": 64, "n_routed_experts": 8, "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1,
    "state_size": 16, "pad_token_id": 0, "decoder_start_token_id": 1, "eos_token_id": 2, "bos_token_id": 1,
}
FAMILIES = """albert bart beit bert bloom clip_text_model codegen cohere deberta deberta-v2 deepseek_v3 deit dinov2
distilbert electra falcon gemma gemma2 gpt2 gpt_bigcode gpt_neox gptj granite hubert layoutlm llama
longformer mamba marian mbart mistral mixtral mpnet mt5 olmo olmoe opt pegasus phi phi3 qwen2 qwen2_moe
qwen3 roberta rwkv stablelm starcoder2 t5 vit wav2vec2 whisper xlm-roberta xlnet""".split()


def small(family):
    known = transformers.AutoConfig.for_model(family).to_dict()
    return transformers.AutoConfig.for_model(family, **{key: value for key, value in SMALL.items() if key in known})


@pytest.mark.parametrize("part", range(4))
def test_fresh_models_pass(part):
    transformers.logging.set_verbosity_error()
    seen = 0
    for family in FAMILIES[part::4]:
        torch.manual_seed(0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = transformers.AutoModel.from_config(small(family))
        except (ImportError, KeyError, ValueError, TypeError, AttributeError):
            continue  # not in this version, or not of these sizes
        tensors = {w.data_ptr(): of_array(name, w.detach().numpy()) for name, w in model.state_dict().items()
                   if w.dtype == torch.float32}
        faults = [(report.name, finding) for report in audit(tensors.values()) for finding in report.faults]
        assert faults == [], family
        seen += 1
    assert seen >= 10
