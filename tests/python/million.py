"""Writes N transcripts for a timing of `vrrl score`: four turns each, all tasks and dialects in turn, mostly well formed.

    python3 tests/python/million.py 1000000 turns.jsonl
"""

import json
import sys

import differential


def main():
    n, path = int(sys.argv[1]), sys.argv[2]
    maker = differential.Maker(7)
    # Ten thousand different lines, repeated under other ids.
    rows = [maker.transcript(i) for i in range(10_000)]
    texts = [json.dumps(row, separators=(",", ":")).split(",", 1)[1] for row in rows]
    with open(path, "w", encoding="utf-8") as out:
        for i in range(n):
            out.write(f'{{"id":"t{i}",{texts[i % len(texts)]}\n')


if __name__ == "__main__":
    main()
