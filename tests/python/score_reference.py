"""Scores recorded turns: a second implementation of the judge, written from the specification alone.

It shares nothing with the Rust one but the files: regular expressions and `json.loads` in place of hand-written
scanners, breadth-first search on a dictionary, floats summed in the order the text gives. `differential.py` runs
both over thousands of nasty transcripts and wants them equal.

    python3 score_reference.py --input TURNS.jsonl --reward PRESET|REWARD.json --output OUT.jsonl

A reward file is JSON here (which is YAML), flat or with `maze` and `grounding` blocks. A line that cannot be scored
becomes {"id", "line", "error"}, as with `vrrl score --on-error record`.
"""

import argparse
import json
import math
import re
import sys

DEFAULTS = {
    "outcome": "exact", "outcome_weight": 0.9, "correct_value": 1.0, "format_value": 0.1, "reflect_weight": 0.9,
    "reflect_lower_clip": 0.0, "lambda_deg": 1.0, "min_turns": 1, "overshoot_zero": False, "reflect_bonus": 0.0,
    "reflect_bonus_discount": 1.0, "step_cost": 0.0, "step_cost_after_correct_only": False,
    "step_cost_on_wrong": False, "sigma_1": 80.0, "sigma_2": 200.0, "tolerance": 40.0,
}
MAZE = {"lambda_deg": 0.5, "overshoot_zero": True}
PRESETS = {
    "vrrl_paper": {"maze": {**MAZE, "reflect_bonus": 0.2, "step_cost": 0.05, "step_cost_on_wrong": True},
                   "grounding": {}},
    "vrrl_code": {"maze": {**MAZE, "reflect_bonus": 0.1, "step_cost": 0.01}, "grounding": {}},
    "outcome_only": {"format_value": 0.0, "reflect_weight": 0.0},
}
STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
# A sum this near to 0 is rounding: thirds and fifths do not add up to 0 in floats where they do on paper.
ROUNDING = 1e-12


def reward_of(word, task):
    """The reward of one task, from a preset's name or a parsed file."""
    block = PRESETS[word] if isinstance(word, str) else word
    if "maze" in block or "grounding" in block:
        block = block.get("maze" if task == "maze" else "grounding", {})
    unknown = set(block) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    return {**DEFAULTS, **block}


# Turns. Each parser gives (kind, answer, bare, thinks): kind "propose", "commit" or None; answer None where it did
# not parse; bare = "what I proposed last".

def tag(text, name):
    """Body of the first closed tag of this name; None without one."""
    found = re.search(rf"<{name}\b[^>]*>(.*?)</{name}>", text, re.I | re.S)
    return found.group(1) if found else None


def words(body):
    return [word for part in body.split(",") for word in part.split()]


def number(word):
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", word):
        return None
    value = float(word)
    return value if math.isfinite(value) else None


def answer_of(body, task):
    """Moves for a maze, two finite numbers else; None where the body is neither."""
    if task == "maze":
        moves = [word.lower() for word in words(body)]
        return tuple(moves) if all(move in STEPS for move in moves) else None
    numbers = [number(word) for word in words(body)]
    return tuple(numbers) if len(numbers) == 2 and None not in numbers else None


def tags(commit, propose):
    def parse(text, task):
        thinks = tag(text, "think") is not None
        for kind, name in (("commit", commit), ("propose", propose)):
            body = tag(text, name)
            if body is not None:
                return kind, answer_of(body, task), False, thinks
        return None, None, False, thinks
    return parse


def bare_commit(text, task):
    thinks = tag(text, "think") is not None
    found = re.search(r"<final\b[^>]*(?<=/)>|<final\b[^>]*>(.*?)</final>", text, re.I | re.S)
    if found:
        body = found.group(1) or ""
        bare = not body.strip()
        return "commit", None if bare else answer_of(body, task), bare, thinks
    body = tag(text, "answer")
    return (None, None, False, thinks) if body is None else ("propose", answer_of(body, task), False, thinks)


def points_in(text):
    """The point of the last closed <points>; False without one, None where it does not say x1 and y1."""
    last = None
    for last in re.finditer(r"<points\b([^>]*)>.*?</points>", text, re.I | re.S):
        pass
    if last is None:
        return False
    found = {}
    for name, double, single in re.findall(r"([A-Za-z0-9_.:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", last.group(1)):
        found.setdefault(name.lower(), number((double or single).strip()))
    point = found.get("x1"), found.get("y1")
    return None if None in point else point


def points_tag(text, task):
    thinks = tag(text, "think") is not None
    body = tag(text, "answer")
    if body is not None:
        if not body.strip():
            return "commit", None, True, thinks
        point = points_in(body)
        return "commit", answer_of(body, task) if point is False else point, False, thinks
    point = points_in(text)
    return (None, None, False, thinks) if point is False else ("propose", point, False, thinks)


def json_call(text, task):
    fenced = re.search(r"```(?:json)?\s*(\{.*?\})\s*```", text, re.S)
    nothing = (None, None, False, False)
    if fenced:
        source = fenced.group(1)
    elif "{" in text and text.rfind("}") > text.find("{"):
        source = text[text.find("{"):text.rfind("}") + 1]
    else:
        return nothing
    try:
        call = json.loads(source)["function_call"]
    except (ValueError, KeyError):
        return nothing
    if not isinstance(call, dict):
        return nothing
    arguments = call.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {}
    if not isinstance(arguments, dict):
        arguments = {}
    name = call.get("name")
    if task == "maze":
        kind, key = {"route": ("propose", "actions"), "terminate": ("commit", "answer")}.get(
            name if isinstance(name, str) else None, (None, None))
        if kind is None:
            return nothing
        listed = arguments.get(key, "")
        return kind, answer_of(listed, task) if isinstance(listed, str) else None, False, False
    if name == "terminate":
        return "commit", None, True, False
    if name != "pointing":
        return nothing
    points = arguments.get("points")
    point = points[-1] if isinstance(points, list) and points else None
    if not isinstance(point, dict):
        return "propose", None, False, False
    xy = []
    for key in ("x", "y"):
        value = point.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "propose", None, False, False
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            return "propose", None, False, False
        xy.append(value)
    return "propose", tuple(xy), False, False


DIALECTS = {"reflection_tag": tags("final", "answer"), "route_tag": tags("answer", "route"),
            "json_call": json_call, "points_tag": points_tag, "bare_commit": bare_commit}


# Truths.

class Maze:
    def __init__(self, truth):
        self.rows = ["".join(row) for row in truth["layout"]]
        n = len(self.rows)
        if any(len(row) != n for row in self.rows) or truth["level"] != n:
            raise ValueError("the layout is not square")
        self.start, self.goal = (divmod(truth[key], n) for key in ("start_pos", "target_pos"))
        self.n = n
        self.distance = {self.goal: 0}
        queue = [self.goal]
        for cell in queue:
            for step in STEPS.values():
                there = cell[0] + step[0], cell[1] + step[1]
                if self.free(there) and there not in self.distance:
                    self.distance[there] = self.distance[cell] + 1
                    queue.append(there)
        if self.start not in self.distance:
            raise ValueError("the goal cannot be reached")
        self.shortest = self.distance[self.start]

    def free(self, cell):
        return 0 <= cell[0] < self.n and 0 <= cell[1] < self.n and self.rows[cell[0]][cell[1]] != "H"

    def walk(self, moves):
        """(moves of the longest prefix that nears the goal, exact)."""
        cell, nearer = self.start, 0
        for move in moves:
            there = cell[0] + STEPS[move][0], cell[1] + STEPS[move][1]
            if not self.free(there) or self.distance.get(there, 1 << 30) >= self.distance[cell]:
                break
            cell, nearer = there, nearer + 1
        return nearer, nearer == self.shortest and len(moves) == self.shortest

    def progress(self, moves, config):
        nearer, _ = self.walk(moves)
        if config["overshoot_zero"] and nearer == self.shortest and len(moves) > self.shortest:
            return 0.0
        return nearer / self.shortest

    def correct(self, moves, _config):
        return self.walk(moves)[1]


class Region:
    def __init__(self, truth):
        self.point, self.box = truth.get("point"), truth.get("box")
        if (self.point is None) == (self.box is None):
            raise ValueError("a point or a box")
        self.tolerance = truth.get("tolerance")

    def distance(self, answer):
        x, y = answer
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            return math.hypot(max(x0 - x, 0.0, x - x1), max(y0 - y, 0.0, y - y1))
        return math.hypot(x - self.point[0], y - self.point[1])

    def progress(self, answer, config):
        """φ: what grounding has in place of a progress rate."""
        bell = lambda sigma: math.exp(-((self.distance(answer) / sigma) ** 2))
        return 0.5 * bell(config["sigma_1"]) + 0.5 * bell(config["sigma_2"])

    def correct(self, answer, config):
        most = config["tolerance"] if self.tolerance is None else self.tolerance
        return self.distance(answer) <= (0.0 if self.box is not None else most)


def judge(task, dialect, truth, texts, config):
    """(reward, score) of one transcript."""
    problem = Maze(truth) if task == "maze" else Region(truth)
    turns = []
    for text in texts:
        if not text.strip():
            continue
        kind, answer, bare, thinks = DIALECTS[dialect](text, task)
        if bare:
            before = [a for k, a, _ in turns if k == "propose" and a is not None]
            answer = before[-1] if before else None
        turns.append((kind, answer, thinks))
    proposals = [a for k, a, _ in turns if k == "propose" and a is not None]
    commits = [a for k, a, _ in turns if k == "commit" and a is not None]
    final = commits[-1] if commits else proposals[-1] if proposals else None

    well = well_formed(turns, proposals, dialect, config["min_turns"])
    correct = final is not None and problem.correct(final, config)
    shaped = [problem.progress(a, config) for a in proposals]
    gained = 0.0
    if len(shaped) > 1 and task == "maze":
        for before, now in zip(shaped, shaped[1:]):
            change = now - before
            gained += change if change >= 0 else config["lambda_deg"] * change
    elif len(shaped) > 1:
        gained = shaped[-1] - shaped[0]
    lower = config["reflect_lower_clip"] if task == "maze" else 0.0
    reflection = min(1.0, max(lower, gained)) if len(shaped) > 1 else 0.0

    reward = {"total": 0.0, "format": 0.0, "outcome": 0.0, "reflection": reflection, "step_cost": 0.0}
    if well:
        reward["format"] = config["format_value"]
        revisions = len(proposals) - 1
        if config["step_cost_after_correct_only"]:
            full = [p == 1.0 if task == "maze" else problem.correct(a, config) for p, a in zip(shaped, proposals)]
            costly = revisions - full.index(True) if True in full else 0
        else:
            costly = revisions
        cost = config["step_cost"] * costly if correct or config["step_cost_on_wrong"] else 0.0
        if correct:
            bonus = 0.0
            if config["reflect_bonus"] > 0 and reflection > 0:
                bonus = config["reflect_bonus"] * reflection * config["reflect_bonus_discount"] ** revisions
            reward["outcome"] = config["correct_value"]
            value = config["correct_value"] + bonus
        else:
            if config["outcome"] == "graded":
                reward["outcome"] = config["outcome_weight"] * problem.progress(final, config)
            value = config["format_value"] + config["reflect_weight"] * reflection + reward["outcome"]
            value = min(value, config["correct_value"])
        reward["step_cost"] = cost
        reward["total"] = value - cost

    first = proposals[0] if proposals else None
    score = {"correct": correct, "correct_first": first is not None and problem.correct(first, config)}
    for key, answer in (("first", first), ("final", final)):
        if task == "maze":
            score[f"progress_{key}"] = 0.0 if answer is None else problem.progress(answer, config)
        elif answer is not None:
            score[f"distance_{key}"] = problem.distance(answer)
    score |= {"turns": len(turns), "proposals": len(proposals), "broke": gained < -ROUNDING}
    return reward, score


def well_formed(turns, proposals, dialect, min_turns):
    kinds = [k for k, _, _ in turns]
    return (
        len(turns) >= max(2, min_turns)
        and all(k is not None and a is not None for k, a, _ in turns)
        and kinds[0] == "propose" and kinds.count("commit") == 1 and kinds[-1] == "commit"
        and all(a != () for _, a, _ in turns)
        and turns[-1][1] == turns[-2][1]
        and len(set(proposals)) == len(proposals)
        and (dialect != "reflection_tag"
             or [thinks for _, _, thinks in turns] == [0 < i < len(turns) - 1 for i in range(len(turns))])
    )


def score_line(line, reward):
    row = json.loads(line)
    task, dialect = row["task"], row["dialect"]
    if task not in ("maze", "table", "chart") or dialect not in DIALECTS:
        raise ValueError("unknown task or dialect")
    if dialect == "points_tag" and task == "maze":
        raise ValueError("points_tag is for grounding")
    if not isinstance(row["turns"], list):
        raise ValueError("turns is no list")
    texts = [turn if isinstance(turn, str) else turn["text"] for turn in row["turns"]]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a turn is no text")
    components, score = judge(task, dialect, row["truth"], texts, reward_of(reward, task))
    return {"id": row["id"], "reward": components, "score": score}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--input", "--reward", "--output"):
        parser.add_argument(flag, required=True)
    args = parser.parse_args()
    reward = args.reward
    if reward not in PRESETS:
        with open(reward, encoding="utf-8") as file:
            reward = json.load(file)
    failed = False
    with open(args.input, encoding="utf-8") as lines, open(args.output, "w", encoding="utf-8") as out:
        for count, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = score_line(line, reward)
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                failed, row = True, {"line": count, "error": repr(error)}
            out.write(json.dumps(row) + "\n")
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
