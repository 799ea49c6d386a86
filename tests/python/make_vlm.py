"""A small vision-language model by another exporter: PyTorch's own, random weights, the three-file layout.

    make_vlm.py OUT          writes OUT/*.onnx, OUT/*_fp16.onnx, the JSON files beside them, and expected.json:
                             what PyTorch itself, without a cache, replies to two pictures in a row

It shares nothing with our network but the vocabulary: rotary positions counted through the episode, grouped
queries (4 query heads on 2 key heads of size 6), SwiGLU, a vision encoder of one convolution. `ort:` must run it from
what the graphs say. tests/fixtures/vlm/ is its output. Needs torch, onnx and onnxscript.
"""

import json
import os
import sys

import numpy as np
import torch
from torch import nn

OUT = sys.argv[1]
SIDE, PATCH, WIDTH, LAYERS, HEADS, KV, SIZE, HIDDEN = 16, 8, 20, 2, 4, 2, 6, 28
WORDS = ["<pad>", "<image>", "<assistant>", "<unk>", "<ANSWER>", "</ANSWER>", "<FINAL>", "</FINAL>", "<FINAL/>"]
WORDS += ["<THINK>", "</THINK>", "up", "down", "left", "right"]
ASSISTANT, STOPS = 2, {5, 7, 8}


class Vision(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)

    def forward(self, pixel_values):
        return torch.tanh(self.patches(pixel_values)).flatten(2).transpose(1, 2)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm_in, self.norm_mid = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.q = nn.Linear(WIDTH, HEADS * SIZE, bias=False)
        self.k, self.v = (nn.Linear(WIDTH, KV * SIZE, bias=False) for _ in range(2))
        self.out = nn.Linear(HEADS * SIZE, WIDTH, bias=False)
        self.gate, self.up = nn.Linear(WIDTH, HIDDEN, bias=False), nn.Linear(WIDTH, HIDDEN, bias=False)
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x, mask, cos, sin, past_key, past_value):
        b, s, _ = x.shape
        y = self.norm_in(x)
        q = rotate(self.q(y).view(b, s, HEADS, SIZE).transpose(1, 2), cos, sin)
        key = torch.cat([past_key, rotate(self.k(y).view(b, s, KV, SIZE).transpose(1, 2), cos, sin)], 2)
        value = torch.cat([past_value, self.v(y).view(b, s, KV, SIZE).transpose(1, 2)], 2)
        wide = lambda t: t.repeat_interleave(HEADS // KV, 1)
        scores = q @ wide(key).transpose(2, 3) / SIZE**0.5 + mask
        mixed = (scores.softmax(-1) @ wide(value)).transpose(1, 2).reshape(b, s, HEADS * SIZE)
        x = x + self.out(mixed)
        y = self.norm_mid(x)
        return x + self.down(nn.functional.silu(self.gate(y)) * self.up(y)), key, value


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(WORDS))
        self.register_buffer("rates", 100.0 ** (-torch.arange(0, SIZE, 2) / SIZE))

    def forward(self, inputs_embeds, attention_mask, position_ids, *past):
        s, total = inputs_embeds.shape[1], attention_mask.shape[1]
        query = torch.arange(s)[:, None] + (total - s)
        seen = (torch.arange(total)[None, :] <= query)[None, None] & (attention_mask[:, None, None, :] > 0)
        mask = torch.where(seen, 0.0, -30000.0).to(inputs_embeds.dtype)
        angles = position_ids[:, None, :, None].float() * self.rates.float()
        angles = torch.cat([angles, angles], -1)
        cos, sin = angles.cos().to(inputs_embeds.dtype), angles.sin().to(inputs_embeds.dtype)
        x, present = inputs_embeds, []
        for i, layer in enumerate(self.layers):
            x, key, value = layer(x, mask, cos, sin, past[2 * i], past[2 * i + 1])
            present += [key, value]
        return (self.head(self.norm(x)), *present)


def export(model, args, name, inputs, outputs, dynamic):
    path = os.path.join(OUT, name)
    torch.onnx.export(
        model, args, path, input_names=inputs, output_names=outputs, dynamic_axes=dynamic, opset_version=17, dynamo=False
    )


def write(vision, embed, decoder, suffix, dtype):
    past = [torch.zeros(2, KV, 3, SIZE, dtype=dtype) for _ in range(2 * LAYERS)]
    parts = [f"{i}.{part}" for i in range(LAYERS) for part in ("key", "value")]
    grows = {f"past_key_values.{p}": {0: "batch", 2: "past"} for p in parts}
    grows |= {f"present.{p}": {0: "batch", 2: "total"} for p in parts}
    grows |= {"inputs_embeds": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "total"}}
    grows |= {"position_ids": {0: "batch", 1: "sequence"}, "logits": {0: "batch", 1: "sequence"}}
    batch = {0: "batch"}
    export(vision, (torch.zeros(2, 3, SIDE, SIDE, dtype=dtype),), f"vision_encoder{suffix}.onnx", ["pixel_values"],
           ["image_features"], {"pixel_values": batch, "image_features": batch})
    both = {0: "batch", 1: "sequence"}
    export(embed, (torch.zeros(2, 5, dtype=torch.int64),), f"embed_tokens{suffix}.onnx", ["input_ids"],
           ["inputs_embeds"], {"input_ids": both, "inputs_embeds": both})
    args = (torch.zeros(2, 4, WIDTH, dtype=dtype), torch.ones(2, 7, dtype=torch.int64),
            torch.zeros(2, 4, dtype=torch.int64), *past)
    export(decoder, args, f"decoder_model_merged{suffix}.onnx",
           ["inputs_embeds", "attention_mask", "position_ids"] + [f"past_key_values.{p}" for p in parts],
           ["logits"] + [f"present.{p}" for p in parts], grows)


def picture(shift):
    """The same picture as in the Rust test: 16 × 16, colours from the coordinates."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return np.stack([(x * 16 + shift) % 256, (y * 16 + 2 * shift) % 256, ((x + y) * 8 + shift) % 256]).astype(np.uint8)


def expected(vision, embed, decoder, longest=6):
    """Greedy replies to two pictures, everything read anew for every token."""
    seen, turns = [], []
    for shift in (0, 100):
        pixels = torch.tensor((picture(shift) / 255.0 - 0.5) / 0.5, dtype=torch.float32)[None]
        seen += [vision(pixels)[0], embed(torch.tensor([ASSISTANT]))]
        ids, log_probs = [], []
        while len(ids) < longest and not (ids and ids[-1] in STOPS):
            x = torch.cat(seen)[None]
            n = x.shape[1]
            empty = [torch.zeros(1, KV, 0, SIZE) for _ in range(2 * LAYERS)]
            row = decoder(x, torch.ones(1, n, dtype=torch.int64), torch.arange(n)[None], *empty)[0][0, -1]
            ids.append(int(row.argmax()))
            log_probs.append(float(row.log_softmax(-1)[ids[-1]]))
            seen.append(embed(torch.tensor([ids[-1]])))
        turns.append({"ids": ids, "log_probs": log_probs})
    return turns


def text(name, value):
    with open(os.path.join(OUT, name), "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


torch.manual_seed(3)
os.makedirs(OUT, exist_ok=True)
with torch.no_grad():
    vision, embed, decoder = Vision(), nn.Embedding(len(WORDS), WIDTH), Decoder()
    for weights in decoder.parameters():
        if weights.dim() > 1:
            weights.mul_(2.0)
    text("expected.json", {"max_tokens": 6, "turns": expected(vision, embed, decoder)})
    write(vision, embed, decoder, "", torch.float32)
    write(vision.half(), embed.half(), decoder.half(), "_fp16", torch.float16)
text("config.json", {"model_type": "toy", "image_token_id": 1, "text_config": {"max_position_embeddings": 200}})
text("tokenizer.json", {"format": 1, "words": WORDS})
norm = {"do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
text("preprocessor_config.json", {"do_resize": True, "size": {"height": SIDE, "width": SIDE}, **norm})
