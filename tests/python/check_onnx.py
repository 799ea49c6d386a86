"""`vrrl export --onnx` against the libraries it is for: onnx.checker accepts every graph, ONNX Runtime runs it.

    check_onnx.py DIR        DIR is what `vrrl export CHECKPOINT --onnx DIR [--int8]` wrote

Per variant: inputs and outputs as models are published; decoding in pieces with the cache gives what one pass over
everything gives; so do padding on the left, padding in the middle, and rows of different lengths in one batch.
Needs onnx, onnxruntime and numpy.
"""

import json
import os
import sys

import numpy as np
import onnx
import onnxruntime

DIR = sys.argv[1] if len(sys.argv) > 1 else sys.exit("usage: check_onnx.py DIR")
GRAPHS = ["vision_encoder", "embed_tokens", "decoder_model_merged"]
with open(os.path.join(DIR, "config.json")) as file:
    config = json.load(file)
with open(os.path.join(DIR, "tokenizer.json")) as file:
    words = json.load(file)["words"]
slots, side = config["vrrl"]["position_slots"], config["vision_config"]["image_size"]


def session(path):
    # As `ort:` does it: eight-bit weights, sums in floats.
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def check(suffix):
    paths = [os.path.join(DIR, f"{graph}{suffix}.onnx") for graph in GRAPHS]
    for path in paths:
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path, load_external_data=False)
        assert [o.version for o in model.opset_import] == [17], model.opset_import
        kept = {entry.key: entry.value for entry in model.metadata_props}
        assert kept["vrrl.checkpoint"] == config["vrrl"]["checkpoint"] and kept["vrrl.format"] == "1"
    vision, embed, decoder = map(session, paths)
    past = [i for i in decoder.get_inputs() if i.name.startswith("past_key_values.")]
    assert [i.name for i in decoder.get_inputs()][:3] == ["inputs_embeds", "attention_mask", "position_ids"]
    assert [o.name for o in decoder.get_outputs()][1:] == [i.name.replace("past_key_values", "present") for i in past]
    assert len(past) == 2 * config["text_config"]["num_hidden_layers"]

    def empty(rows):
        return {i.name: np.zeros((rows, i.shape[1], 0, i.shape[3]), np.float32) for i in past}

    def run(x, mask, positions, cache):
        feed = {"inputs_embeds": x, "attention_mask": mask, "position_ids": positions}
        logits, *present = decoder.run(None, feed | cache)
        return logits, {i.name: value for i, value in zip(past, present)}

    random = np.random.default_rng(0)
    pixels = random.uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    features = vision.run(None, {"pixel_values": pixels})[0]
    alone = vision.run(None, {"pixel_values": pixels[1:]})[0]
    assert np.abs(alone - features[1:]).max() < 1e-4
    reply = [words.index(word) for word in ["<assistant>", "<ANSWER>", "up", "left", "</ANSWER>"]]
    tokens = embed.run(None, {"input_ids": np.array([reply], np.int64)})[0]
    turns = [np.concatenate([features[t : t + 1], tokens], 1) for t in range(2)]
    n = turns[0].shape[1]
    x = np.concatenate(turns, 1)
    positions = np.concatenate([np.arange(n), slots + np.arange(n)])[None]
    whole, _ = run(x, np.ones((1, 2 * n), np.int64), positions, empty(1))

    cache, at, pieces = empty(1), 0, []
    for size in [n - 4, 1, 1, 1, 1] * 2:
        part = slice(at, at + size)
        logits, cache = run(x[:, part], np.ones((1, at + size), np.int64), positions[:, part], cache)
        pieces.append(logits)
        at += size
    difference = {"pieces": np.abs(np.concatenate(pieces, 1) - whole).max()}

    junk = np.ones((1, 3, x.shape[2]), np.float32)
    gaps = np.concatenate([junk, x[:, :n], junk, x[:, n:]], 1)
    mask = np.array([[0] * 3 + [1] * n + [0] * 3 + [1] * n])
    placed = np.zeros_like(mask)
    placed[mask == 1] = positions[0]
    logits, _ = run(gaps, mask, placed, empty(1))
    assert np.isfinite(logits).all()
    difference["padding"] = np.abs(logits[:, mask[0] == 1] - whole).max()

    short = np.concatenate([np.ones_like(x[:, :n]), x[:, :n]], 1)
    mask = np.array([[1] * 2 * n, [0] * n + [1] * n])
    rows, _ = run(np.concatenate([x, short]), mask, np.concatenate([positions, (positions - slots).clip(0)]), empty(2))
    assert np.isfinite(rows).all()
    difference["batch"] = np.abs(rows[0] - whole[0]).max()
    assert max(difference.values()) < 1e-4, difference
    return ", ".join(f"{name} {value:.0e}" for name, value in difference.items())


suffixes = [s for s in ["", "_int8"] if os.path.exists(os.path.join(DIR, f"{GRAPHS[2]}{s}.onnx"))]
for suffix in suffixes:
    print(f"{GRAPHS[2]}{suffix}: largest differences {check(suffix)}")
print(f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}")
