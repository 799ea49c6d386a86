"""Makes a tiny vision-language model that any server of Hugging Face models loads: tiny_vlm.py OUT [STEPS]

It is a Qwen2-VL of two layers, with a tokenizer of single bytes and a chat template that puts pictures where the
messages have them. Without STEPS its weights are random and what it says is noise. So many steps of training (400
take a minute) teach it one conversation by heart, whatever it is asked and shown: to propose, to propose again and to
commit, so that episodes of several turns can be tried.
"""

import random
import string
import sys

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
)

PRINTABLE = string.ascii_letters + string.digits + " .,:;<>/\n"
# Every byte is a word, so that there is nothing to train.
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type in ['image', 'image_url'] %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokenizer():
    words = {word: at for at, word in enumerate(ALPHABET)}
    raw = Tokenizer(models.BPE(vocab=words, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens(SPECIAL)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens={"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"},
    )
    fast.chat_template = TEMPLATE
    return fast


# What it learns to reply, turn by turn.
REPLIES = ["<ANSWER>right</ANSWER>", "<THINK>a hole</THINK><ANSWER>down</ANSWER>", "<FINAL>down</FINAL>"]


def learn(model, processor, steps):
    """Next-byte training on conversations of random letters and pictures."""
    draw = random.Random(7)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    end = processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    opening = processor.tokenizer.encode("<|im_start|>assistant\n")
    model.train()
    for step in range(steps):
        text = lambda most: "".join(draw.choices(PRINTABLE, k=draw.randint(1, most)))
        messages = [{"role": "system", "content": text(200)}] if draw.random() < 0.7 else []
        pictures = []
        for reply in REPLIES:
            size = 28 * draw.randint(1, 8)
            pictures.append(Image.new("RGB", (size, size), tuple(draw.randbytes(3))))
            parts = [{"type": "image"}, {"type": "text", "text": text(400)}]
            draw.shuffle(parts)
            messages += [{"role": "user", "content": parts}, {"role": "assistant", "content": reply}]
        batch = processor(
            text=[processor.apply_chat_template(messages)], images=pictures, return_tensors="pt"
        )
        ids = batch["input_ids"][0].tolist()
        labels = [-100] * len(ids)
        for at in range(len(ids) - len(opening)):
            if ids[at : at + len(opening)] == opening:
                first = at + len(opening)
                last = ids.index(end, first)
                labels[first : last + 1] = ids[first : last + 1]
        loss = model(**batch, labels=torch.tensor([labels])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    model.eval()


def main(out, steps):
    torch.manual_seed(7)
    words = tokenizer()
    ids = dict(zip(SPECIAL, words.convert_tokens_to_ids(SPECIAL)))
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 4, "mlp_ratio": 2},
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    model = Qwen2VLForConditionalGeneration(config)
    model.generation_config.update(
        eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"], do_sample=False
    )
    images = Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=28 * 28 * 64)
    processor = Qwen2VLProcessor(
        image_processor=images, video_processor=Qwen2VLVideoProcessor(), tokenizer=words, chat_template=TEMPLATE
    )
    if steps:
        learn(model, processor, steps)
    model.save_pretrained(out)
    processor.save_pretrained(out)
    AutoProcessor.from_pretrained(out)
    loaded = AutoModelForImageTextToText.from_pretrained(out)
    print(f"{out}: {sum(p.numel() for p in loaded.parameters())} parameters, {len(words)} words")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
