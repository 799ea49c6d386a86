"""The network once more in PyTorch: equal logits and gradients, then which learns faster.

    twin.py THROUGHPUT CHECKPOINT [--python PYTHON] [--rounds N] [--seconds S] [--threads 2,1] [--compile]

THROUGHPUT is the binary of `cargo build --release -p vrrl-trainer --example throughput`, CHECKPOINT a folder with
`model.safetensors` and `config.json`. The binary writes two batches (demonstrations; the rollouts of one step) with its
logits, log-probabilities and gradients; the twin, written from the description of the network alone, loads the same
weights and must agree (TOLERANCE). Then both do whole optimizer steps on the same sequences, by turns, and medians are
printed: forward, backward, clipping, AdamW. Beside them stand tokens a second of processor time, all threads together: on
a busy machine the rate with one thread that is worth comparing (threads that spin while they wait count, too).

PyTorch gets its best forms: padded batches (`eager`), or padding for attention alone (`packed`),
`scaled_dot_product_attention` with an additive mask, channels last for the convolutions, fused AdamW; tensors, masks
and the places of padding are ready before its clock starts, and every distinct image is encoded once in the whole
batch. The learner's clock includes packing pictures into a batch.

Without --python the script makes an environment in a temporary folder (torch, safetensors, numpy from the registry) and
runs itself in it.
"""

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

# Largest difference: of logits and log-probabilities, absolute; of a weight's gradient, relative to its largest entry.
TOLERANCE = {"logits": 5e-5, "log_probs": 5e-5, "gradients": 1e-4}
BATCHES = ["sft", "rl"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("throughput")
    parser.add_argument("checkpoint")
    parser.add_argument("--python", help="an interpreter with torch and safetensors, in place of a fresh environment")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each side takes")
    parser.add_argument("--seconds", type=float, default=4, help="of each turn and batch")
    parser.add_argument("--threads", default="2,1")
    parser.add_argument("--compile", action="store_true", help="also torch.compile of the packed form; needs a C++ compiler")
    parser.add_argument("--bf16", action="store_true", help="also bf16 autocast of the packed form")
    parser.add_argument("--compare-only", action="store_true", help="no timing")
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    return parser.parse_args()


# ---- the twin ----


def twin_of(folder, checkpoint):
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file

    with open(os.path.join(checkpoint, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    raw = load_file(os.path.join(checkpoint, "model.safetensors"))

    class Twin(torch.nn.Module):
        """`weights[name]` as the checkpoint names them; matrices are stored [in, out]."""

        def __init__(self):
            super().__init__()
            self.names = {name: name.replace(".", "_") for name in raw}
            c = config["channels"]
            for name, value in raw.items():
                value = value.clone()
                if name.startswith("vision.blocks.") and name.endswith(".weight"):
                    # Rows are (ky, kx, channel in): to PyTorch's [out, in, ky, kx].
                    value = value.reshape(3, 3, c, c).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
                elif name.endswith(".weight") and name not in ("text.embedding.weight", "text.positions.weight"):
                    value = value.t().contiguous()
                self.register_parameter(self.names[name], torch.nn.Parameter(value))

        def of(self, name):
            return getattr(self, self.names[name])

        def linear(self, x, name):
            return F.linear(x, self.of(f"{name}.weight"), self.of(f"{name}.bias"))

        def norm(self, x, name=None):
            gain = None if name is None else self.of(f"{name}.gain")
            return F.rms_norm(x, (x.shape[-1],), gain, 1e-5)

        def encode(self, patches):
            c, side, patch = config["channels"], config["side"], config["patch"]
            x = self.linear(patches.view(-1, side, side, patch * patch * 3), "vision.stem")
            for i in range(config["blocks"]):
                name = f"vision.blocks.{i}"
                active = F.gelu(self.norm(x), approximate="tanh").permute(0, 3, 1, 2)  # NCHW, channels last
                y = F.conv2d(active, self.of(f"{name}.weight"), self.of(f"{name}.bias"), padding=1)
                x = x + y.permute(0, 2, 3, 1)
            half = side // 2
            x = self.norm(x, "vision.norm").view(-1, half, 2, half, 2, c).permute(0, 1, 3, 2, 4, 5)
            return self.linear(x.reshape(-1, 4 * c), "vision.project")

        def forward(self, b, packed=False):
            """Logits at the predicted positions, [p, v]. `packed`: only attention sees padding."""
            d, heads = config["width"], len(config["slopes"])
            source = torch.cat([self.of("text.embedding.weight"), self.encode(b["patches"])])
            positions = self.of("text.positions.weight")
            rows, length = b["gather"].shape
            tokens = [b["gather"].flatten(), b["slots"].flatten()]
            if packed:
                tokens = [ids.index_select(0, b["back"]) for ids in tokens]
            x = F.embedding(tokens[0], source) + F.embedding(tokens[1], positions)  # [n, d]
            for i in range(config["layers"]):
                name = f"text.layers.{i}"
                qkv = self.linear(self.norm(x, f"{name}.norm_in"), f"{name}.qkv")
                if packed:
                    qkv = qkv.index_select(0, b["place"])
                q, k, v = qkv.view(rows, length, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
                y = F.scaled_dot_product_attention(q, k, v, attn_mask=b["mask"])
                y = y.transpose(1, 2).reshape(rows * length, d)
                if packed:
                    y = y.index_select(0, b["back"])
                x = x + self.linear(y, f"{name}.out")
                y = F.gelu(self.linear(self.norm(x, f"{name}.norm_mid"), f"{name}.up"), approximate="tanh")
                x = x + self.linear(y, f"{name}.down")
            x = x.index_select(0, b["predict" if packed else "predict_padded"])
            return self.linear(self.norm(x, "text.norm"), "text.head")

        def gradient(self, name):
            """As the checkpoint stores the weight."""
            grad = self.of(name).grad
            if grad.dim() == 4:
                return grad.permute(2, 3, 1, 0).reshape(-1, config["channels"])
            if name.endswith(".weight") and name not in ("text.embedding.weight", "text.positions.weight"):
                return grad.t()
            return grad

    def padded(name):
        """The packed batch as [sequences, longest], with the additive mask of causality, padding and turns."""
        packed = load_file(os.path.join(folder, f"{name}.safetensors"))
        spans = packed["spans"].tolist()
        longest = max(end - start for start, end in spans)
        place = torch.zeros(len(spans), longest, dtype=torch.long)  # padding repeats the first token
        back = torch.zeros(spans[-1][1], dtype=torch.long)
        inside = torch.zeros(len(spans), longest, dtype=torch.bool)
        for s, (start, end) in enumerate(spans):
            place[s] = start
            place[s, : end - start] = torch.arange(start, end)
            back[start:end] = s * longest + torch.arange(end - start)
            inside[s, : end - start] = True
        turns = packed["turns"].long()[place].float()
        distance = turns[:, :, None] - turns[:, None, :]
        bias = -torch.tensor(config["slopes"])[None, :, None, None] * distance[:, None]
        causal = torch.ones(longest, longest, dtype=torch.bool).tril()
        # A padding query sees the first key, or its row would hold no number.
        seen = (causal & inside[:, None, :]) | (torch.arange(longest) == 0)
        return packed, {
            "patches": packed["patches"],
            "gather": packed["gather"].long()[place],
            "slots": packed["slots"].long()[place],
            "mask": bias.masked_fill(~seen[:, None], float("-inf")).contiguous(),
            "place": place.flatten(),
            "back": back,
            "predict": packed["predict"].long(),
            "predict_padded": back[packed["predict"].long()],
            "targets": packed["targets"].long(),
            "slopes": packed["slopes"],
            "tokens": int(packed["gather"].numel()),
        }

    return Twin(), {name: padded(name) for name in BATCHES}, raw


def log_probs(logits, targets):
    return logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]


def compare(folder, checkpoint):
    """Logits, log-probabilities and every gradient against the dump; ends with 1 where they differ."""
    import torch

    twin, batches, raw = twin_of(folder, checkpoint)
    good = True
    for (name, (packed, b)), form in itertools.product(batches.items(), [False, True]):
        twin.zero_grad()
        logits = twin(b, form)
        new = log_probs(logits, b["targets"])
        (new * b["slopes"]).sum().backward()
        gaps = {
            "logits": (logits - packed["logits"]).abs().max().item(),
            "log_probs": (new - packed["log_probs"]).abs().max().item(),
        }
        worst = (0.0, "")
        for weight in raw:
            want = packed[f"grad.{weight}"]
            largest = want.abs().max().item()
            assert largest > 0 and torch.isfinite(want).all(), f"{weight}: no gradient"
            worst = max(worst, ((twin.gradient(weight) - want).abs().max().item() / largest, weight))
        gaps["gradients"] = worst[0]
        holds = all(gaps[key] <= TOLERANCE[key] for key in TOLERANCE)
        good &= holds
        figures = ", ".join(f"{key} {gap:.1e} (at most {TOLERANCE[key]:.0e})" for key, gap in gaps.items())
        said = f"{'ok    ' if holds else 'FAILED'} {name}{', packed' * form}: {len(raw)} weights"
        print(f"{said}; largest difference: {figures}; worst {worst[1]}")
    return good


def serve(folder, checkpoint, seconds):
    """Reads `VARIANT BATCH THREADS` lines and answers each with tokens a second: a process that stays warm."""
    import torch

    twin, batches, _ = twin_of(folder, checkpoint)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    compiled = []

    def step(b, variant):
        if variant == "compile" and not compiled:
            compiled.append(torch.compile(twin))
        model = compiled[0] if variant == "compile" else twin
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=variant == "bf16"):
            logits = model(b, variant != "eager")
        (log_probs(logits, b["targets"]) * b["slopes"]).sum().backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        optimizer.step()

    print("ready", flush=True)
    for line in sys.stdin:
        variant, name, threads = line.split()
        torch.set_num_threads(int(threads))
        b = batches[name][1]
        tensors = {key: value for key, value in b.items() if key != "tokens"}
        rates, times, began = [], [], time.perf_counter()
        step(tensors, variant)
        if variant == "compile":
            step(tensors, variant)
            began = time.perf_counter()
        while len(rates) < 4 or time.perf_counter() - began < seconds:
            start, used = time.perf_counter(), time.process_time()
            step(tensors, variant)
            rates.append(b["tokens"] / (time.perf_counter() - start))
            times.append(b["tokens"] / (time.process_time() - used))
        middle = {"tokens_per_second": statistics.median(rates), "per_processor_second": statistics.median(times)}
        print(json.dumps(middle | {"best": max(rates)}), flush=True)


# ---- by turns ----


def environment(home):
    subprocess.run([sys.executable, "-m", "venv", f"{home}/venv"], check=True)
    python = f"{home}/venv/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "torch", "safetensors", "numpy"], check=True)
    return python


def report(name, threads, seen):
    """Medians over all turns; the ratio is of the learner to the other."""

    def middle(who, key):
        return statistics.median(row[key] for row in seen[who])

    for who, rows in seen.items():
        wall, used = middle(who, "tokens_per_second"), middle(who, "per_processor_second")
        ratios = [middle("vrrl", "tokens_per_second") / wall, middle("vrrl", "per_processor_second") / used]
        best = max(row["best"] for row in rows)
        text = f"{name}, {threads} threads, {who}: {wall:,.0f} tokens/s (best step {best:,.0f}), {used:,.0f} a processor second"
        print(text + (f"; vrrl is {ratios[0]:.2f} x, {ratios[1]:.2f} x" if who != "vrrl" else ""), flush=True)


def measure(options, python, folder):
    command = [python, os.path.abspath(__file__), options.throughput, options.checkpoint, "--serve", folder]
    command += ["--seconds", str(options.seconds)]
    twin = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert twin.stdout.readline() == "ready\n"
    variants = ["eager", "packed"] + ["compile"] * options.compile + ["bf16"] * options.bf16

    def theirs(variant, name, threads):
        twin.stdin.write(f"{variant} {name} {threads}\n")
        twin.stdin.flush()
        answer = twin.stdout.readline()
        if not answer:
            sys.exit(f"the twin ended while it timed {variant}")
        return json.loads(answer)

    def ours(threads):
        done = subprocess.run(
            [options.throughput, options.checkpoint, "time", str(threads), str(options.seconds)],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return {row["batch"]: row for row in map(json.loads, done.stdout.splitlines())}

    try:
        for threads in [int(n) for n in options.threads.split(",")]:
            seen = {(who, name): [] for who in ["vrrl", *variants] for name in BATCHES}
            for round in range(options.rounds + 1):
                rows = ours(threads)
                for name in BATCHES:
                    seen["vrrl", name].append(rows[name])
                    for variant in variants:
                        seen[variant, name].append(theirs(variant, name, threads))
                if round == 0:  # both warm up
                    seen = {key: [] for key in seen}
            for name in BATCHES:
                report(name, threads, {who: seen[who, name] for who in ["vrrl", *variants]})
    finally:
        twin.stdin.close()
        twin.terminate()
        twin.wait()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the warm process ends too
    if options.serve:
        import torch

        if options.rounds == 0:
            sys.exit(0 if compare(options.serve, options.checkpoint) else 1)
        print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}", file=sys.stderr)
        serve(options.serve, options.checkpoint, options.seconds)
        return
    with tempfile.TemporaryDirectory() as home:
        python = options.python or environment(home)
        subprocess.run([options.throughput, options.checkpoint, "dump", home], check=True)
        command = [python, os.path.abspath(__file__), options.throughput, options.checkpoint, "--serve", home]
        if subprocess.run([*command, "--rounds", "0"]).returncode != 0:
            sys.exit(1)
        if not options.compare_only:
            measure(options, python, home)


if __name__ == "__main__":
    main()
