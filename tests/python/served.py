"""Tries `vrrl eval --model openai:…` against a real inference server: served.py VRRL FOLDER [STEPS]

Makes a tiny model in FOLDER (tiny_vlm.py), serves it with `transformers serve` on a free port, and runs the command
VRRL against it as a user would. Ends with 1 and says what differed if anything did.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

SPLIT, EPISODES = "quick/maze/ood7", 24
here = os.path.dirname(os.path.abspath(__file__))
vrrl, home = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
steps = sys.argv[3] if len(sys.argv) > 3 else "400"
tiny = os.path.join(home, "tiny")


def check(holds, what):
    print(("ok    " if holds else "FAILED"), what, flush=True)
    if not holds:
        sys.exit(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command(out, *more, name=None, split=SPLIT, limit=EPISODES, turns=4):
    model = f"openai:{url}#{name or tiny}"
    return [vrrl, "eval", "--model", model, "--split", split, "--limit", str(limit), "--max-turns", str(turns),
            "--out", os.path.join(home, out), *more]  # fmt: skip


def run(out, *more, **how):
    begun = time.time()
    done = subprocess.run(command(out, *more, **how), capture_output=True, text=True)
    done.seconds = time.time() - begun
    return done


def read(out, name):
    with open(os.path.join(home, out, name), "rb") as file:
        return file.read()


def traces(out):
    return [json.loads(line) for line in read(out, "traces.jsonl").splitlines()]


def asked():
    """Requests that the server has answered."""
    with open(os.path.join(home, "serve.log"), encoding="utf-8") as log:
        return log.read().count('"POST /v1/chat/completions')


if not os.path.isfile(os.path.join(tiny, "model.safetensors")):
    subprocess.run([sys.executable, os.path.join(here, "tiny_vlm.py"), tiny, steps], check=True)
port = free_port()
url = f"http://127.0.0.1:{port}/v1"
serve = os.path.join(os.path.dirname(sys.executable), "transformers")
log = open(os.path.join(home, "serve.log"), "w", encoding="utf-8")
server = subprocess.Popen(
    [serve, "serve", tiny, "--device", "cpu", "--port", str(port)],
    stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"},
)  # fmt: skip
try:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
            break
        except OSError:
            time.sleep(1)

    first = run("first", "--workers", "4", "--cache", os.path.join(home, "cache"))
    check(first.returncode == 0, f"{EPISODES} episodes end with 0: {first.stderr.strip()[-300:]}")
    rows = traces("first")
    turns = [len(row["turns"]) for row in rows]
    check(len(rows) == EPISODES and not any(row["end"] == "fault" for row in rows), "every episode is there once")
    check(min(turns) >= 2, f"each proposes and commits: {min(turns)} to {max(turns)} turns")
    check(all(row["end"] == "commit" for row in rows), "each ends by its commit")
    shown = [[turn["image_sha256"] for turn in row["turns"]] for row in rows]
    check(all(len(set(images)) == len(images) for images in shown), "a picture of its own every turn")
    files = os.listdir(os.path.join(home, "first", "images"))
    check(set(files) == {f"{sha}.png" for images in shown[:16] for sha in images}, "on disk for the first 16 episodes")
    read_tokens = [[turn["tokens"]["prompt"] for turn in row["turns"]] for row in rows]
    # 64 patches of 28 x 28 pixels at most, merged two by two, and every byte a token.
    grows = all(b > a + 64 for counts in read_tokens for a, b in zip(counts, counts[1:]))
    check(grows, "the server counts a picture more each turn")

    before = asked()
    check(before == sum(turns), f"one request a turn: {before}")
    again = run("again", "--workers", "2", "--cache", os.path.join(home, "cache"))
    check(again.returncode == 0 and asked() == before, "with the cache nothing is asked again")
    check(read("again", "traces.jsonl") == read("first", "traces.jsonl"), "and the same is found")
    fresh = run("fresh", "--workers", "auto")
    check(fresh.returncode == 0 and asked() == 2 * before, "without it everything is")
    check(read("fresh", "traces.jsonl") == read("first", "traces.jsonl"), "the same bytes, whatever the workers")

    before = asked()
    killed = subprocess.Popen(command("killed", "--workers", "2"), stdout=log, stderr=log)
    while asked() < before + 20:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    time.sleep(2)
    kept = len(read("killed", "traces.jsonl").splitlines())
    went_on = run("killed", "--workers", "2")
    check(went_on.returncode == 0 and 0 < kept < EPISODES, f"goes on after kill -9 behind {kept} episodes")
    check(read("killed", "traces.jsonl") == read("first", "traces.jsonl"), "to the same bytes")
    check(asked() - before <= sum(turns) + 2 * max(turns), "and asks again for no more than what was in flight")

    other = run("killed", "--workers", "2", turns=3)
    check(other.returncode == 2 and "max_turns" in other.stderr, "another limit of turns is refused and named")
    gaps = run("controls", "--workers", "4", "--control", "blank,oracle", "--format", "json", limit=8)
    found = json.loads(gaps.stdout)
    shown = {g["control"]: g["gap"]["value"] for g in found["controls"]}
    check(shown == {"blank": 0.0, "oracle": 0.0}, f"a model that looks at nothing shows no gap: {shown}")
    table = run("table", "--workers", "4", "--dialect", "points_tag", split="table_large", limit=4)
    ends = {row["end"] for row in traces("table")}
    check(table.returncode == 0 and ends == {"malformed"}, f"what is not in the language is scored: {ends}")
    gone = run("gone", "--workers", "2", name="no/such-model", limit=4)
    check(gone.returncode == 5, f"a model that is not served is a fault: {gone.returncode}")
    print("      " + gone.stderr.strip().splitlines()[-1][:300])
finally:
    server.send_signal(signal.SIGTERM)
    server.wait()
    log.close()
print("all good")
