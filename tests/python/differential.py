"""Runs the judge and its Python reference over thousands of nasty transcripts and wants them equal.

    cargo build --release -p vrrl-tests --example score
    python3 tests/python/differential.py target/release/examples/score --n 4000 --seed 1

Counts are equal, flags are equal, numbers are equal to 1e-9, and a line is refused by both or by none.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import score_reference as reference

MOVES = ["up", "down", "left", "right"]
DIALECTS = {"maze": ["reflection_tag", "route_tag", "json_call", "bare_commit"],
            "table": list(reference.DIALECTS), "chart": list(reference.DIALECTS)}
REWARDS = [
    "vrrl_paper", "vrrl_code", "outcome_only", {},
    {"outcome": "graded"},
    {"outcome": "graded", "outcome_weight": 0.5, "correct_value": 0.7, "step_cost": 0.03, "step_cost_on_wrong": True},
    {"reflect_lower_clip": -1.0, "lambda_deg": 0.7, "reflect_weight": 0.4},
    {"reflect_bonus": 0.3, "reflect_bonus_discount": 0.5, "min_turns": 3},
    {"step_cost": 0.02, "step_cost_after_correct_only": True, "step_cost_on_wrong": True, "overshoot_zero": True},
    {"maze": {"format_value": 0.2, "lambda_deg": 0.0}, "grounding": {"sigma_1": 30.0, "sigma_2": 90.0, "tolerance": 12.0}},
]


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        # Every other transcript is calm: what is rare does not happen in it.
        self.calm = False

    def maybe(self, p):
        return self.rng.random() < p and not (self.calm and p <= 0.12)

    def odd(self, usual, others):
        """Mostly what is usual; in a calm transcript always."""
        return usual if self.calm else self.rng.choice([usual] * (4 * len(others)) + others)

    def maze(self):
        rng = self.rng
        while True:
            n = rng.randint(2, 8)
            cells = [["H" if self.maybe(0.25) else "F" for _ in range(n)] for _ in range(n)]
            start, goal = rng.sample(range(n * n), 2)
            cells[start // n][start % n], cells[goal // n][goal % n] = "S", "G"
            truth = {"layout": cells if self.maybe(0.5) else ["".join(row) for row in cells],
                     "start_pos": start, "target_pos": goal, "level": n}
            try:
                return truth, reference.Maze(truth)
            except ValueError:
                if self.maybe(0.02):
                    return truth, None

    def region(self):
        rng = self.rng
        w, h = rng.randint(50, 900), rng.randint(50, 900)
        if self.maybe(0.5):
            x0, y0 = rng.randint(0, w - 2), rng.randint(0, h - 2)
            truth = {"box": [x0, y0, rng.randint(x0, w - 1), rng.randint(y0, h - 1)]}
        else:
            truth = {"point": [rng.uniform(0, w) if self.maybe(0.5) else rng.randint(0, w), rng.randint(0, h)]}
            if self.maybe(0.7):
                truth["tolerance"] = rng.choice([0, 5, 40, 40, 60.5])
        return {**truth, "size": [w, h]}

    def path(self, problem):
        """A list of moves: often a prefix of a shortest path, sometimes too long, sometimes noise."""
        rng, moves = self.rng, []
        if problem is not None and self.maybe(0.85):
            cell = problem.start
            while cell != problem.goal:
                steps = list(reference.STEPS.items())
                rng.shuffle(steps)
                for move, (dr, dc) in steps:
                    there = cell[0] + dr, cell[1] + dc
                    if problem.distance.get(there, 99) < problem.distance[cell]:
                        moves.append(move)
                        cell = there
                        break
            pick = rng.random()
            if pick < 0.35:
                moves = moves[:rng.randint(0, len(moves))]
            elif pick < 0.5:
                moves += [rng.choice(MOVES) for _ in range(rng.randint(1, 3))]
            elif pick < 0.6:
                moves[rng.randrange(len(moves))] = rng.choice(MOVES)
        else:
            moves = [rng.choice(MOVES) for _ in range(rng.randint(0, 9))]
        return moves

    def point(self, truth):
        rng = self.rng
        x, y = truth.get("point") or truth["box"][:2]
        far = rng.choice([0, 3, 40, 120, 400, 1e7])
        return [self.round(x + rng.uniform(-far, far)), self.round(y + rng.uniform(-far, far))]

    def round(self, value):
        return self.rng.choice([round(value), round(value, 1), value])

    def answer(self, task, truth, problem):
        return self.path(problem) if task == "maze" else self.point(truth)

    def body(self, task, answer):
        """The answer as the text of a tag, more or less right."""
        rng = self.rng
        words = [str(part) for part in answer]
        if self.maybe(0.06):
            words.insert(rng.randint(0, len(words)), rng.choice(["jump", "north", "7", "nan", "inf", "up;", "1_0", "٣", "u", "-", "1e3"]))
        if self.maybe(0.2):
            words = [rng.choice([str.upper, str.title, str.lower])(word) for word in words]
        separator = rng.choice([" ", " ", ", ", ",", "\n", "\t", " ,, ", "\u00a0", "\x1c", "\u3000", ";" if self.maybe(0.1) else " "])
        text = separator.join(words)
        return rng.choice([text, text, f" {text}\n", f",{text}", "" if self.maybe(0.12) else text])

    def tagged(self, name, body):
        rng = self.rng
        name_open = rng.choice([name, name.upper(), name.lower(), name.title()])
        name_close = rng.choice([name, name.upper(), name.lower()])
        if self.maybe(0.02):
            name_open = name_open.replace("i", "ı").replace("s", "ſ").replace("k", "\u212a")
        attributes = self.odd("", ["", ' a="b"', "\n", " /", "/", "-x", "s", "_", "é", ' <b', " x=1>"])
        close = f"</{name_close}>"
        if self.maybe(0.1):
            close = rng.choice(["", f"</{name_close} >", f"</ {name_close}>", f"<{name_close}>"])
        return f"<{name_open}{attributes}>{body}{close}"

    def points(self, point):
        rng = self.rng
        q = rng.choice(['"', '"', '"', "'"])
        form = self.odd("{n} x1={q}{x}{q} y1={q}{y}{q}", [
            "{n} y1={q}{y}{q} x1={q}{x}{q} alt={q}a{q}", "{n} X1 = {q} {x} {q} y1={q}{y}{q} x2={q}5{q}",
            "{n} x1={x} y1={y}", "{n} x={q}{x}{q} y={q}{y}{q}", "{n}", "{n}x x1={q}{x}{q} y1={q}{y}{q}",
            "{n} data-x1={q}1{q} x1={q}{x}{q} y1={q}{y}{q}", "{n} x1={q}{x} y1={y}{q}"])
        tag = form.format(n=rng.choice(["points", "POINTS", "Points"]), q=q, x=point[0], y=point[1])
        return f"<{tag}{self.odd('>it</points>', ['></points>', '/>', '>', '>it</Points>'])}"

    def call(self, task, kind, answer):
        rng = self.rng
        if task == "maze":
            name, key = ("route", "actions") if kind == "propose" else ("terminate", "answer")
            arguments = {key: self.body(task, answer)}
            if self.maybe(0.06):
                arguments = {key: rng.choice([answer, None, 5, {}])}
        elif kind == "commit":
            name, arguments = "terminate", rng.choice([{}, {"points": []}, {"answer": "x"}])
        else:
            point = {"description": "it", "x": answer[0], "y": answer[1]}
            if self.maybe(0.08):
                point[rng.choice("xy")] = rng.choice(["5", None, True, [1], float("inf"), float("nan"), 10 ** 400])
            points = [point] if self.maybe(0.85) else rng.choice([[{"x": 1, "y": 2}, point], [], point, [answer], "x"])
            name, arguments = "pointing", {"points": points}
        if self.maybe(0.06):
            arguments = rng.choice([{}, None, [], "x", 3, {"other": 1}])
        if self.maybe(0.12):
            arguments = json.dumps(arguments)
        if self.maybe(0.04):
            name = rng.choice(["Route", "go", None, ["route"], "terminate ", "route", "pointing", "terminate"])
        call = {"name": name, "arguments": arguments}
        for key in list(call):
            if self.maybe(0.02):
                del call[key]
        whole = {"think": rng.choice(["so", "a } b", "```", "{", "\"quoted\"", "é\ud800", "\\"]), "function_call": call}
        if self.maybe(0.5):
            del whole["think"]
        if self.maybe(0.04):
            whole = rng.choice([call, {"function_call": [call]}, {"function_call": json.dumps(call)}, [whole], {"Function_call": call}])
        text = json.dumps(whole, ensure_ascii=self.maybe(0.5), indent=rng.choice([None, None, 2]))
        text = text.encode("utf-8", "replace").decode() if not text.isascii() else text
        if self.maybe(0.05):
            text = rng.choice([text[:-1], text + "}", "{" + text, text + text, text.replace('"', "'"), text[:-1] + ",}",
                               text.replace(":", "", 1), text[:-1] + ',"function_call":null}', text.replace("}", "\u00a0}", 1)])
        fence = self.odd(rng.choice(["{0}", "```json\n{0}\n```", "so {0}."]), ["```json\n{0}\n```", "```\n{0}```", "```{0}```", "so\n```json {0}\n``` {{x}}",
                            "```JSON\n{0}\n```", "```json\nso {0}\n```", "{{no}} {0}", "{0} so", "```json\n{0}", "````\n{0}\n```",
                            "```x\n1\n```\n```json\n{0}\n```", "```json\n{0}\n```\n```json\n{0}\n```"])
        return fence.format(text)

    def turn(self, task, dialect, kind, answer, think):
        rng = self.rng
        if dialect == "json_call":
            return self.call(task, kind, answer)
        text = self.body(task, answer)
        if dialect == "points_tag":
            if kind == "propose":
                text = self.points(answer)
                if self.maybe(0.05):
                    text = self.points([1, 2]) + rng.choice(["", " or "]) + text
            else:
                text = self.tagged("answer", self.odd(rng.choice([text, "", self.points(answer)]), [" ", "done"]))
        else:
            propose, commit = {"route_tag": ("route", "answer")}.get(dialect, ("ANSWER", "FINAL"))
            if kind == "commit" and dialect == "bare_commit" and self.maybe(0.8):
                text = self.odd("<FINAL/>", ["<FINAL></FINAL>", "<final />", "<FINAL> \n</FINAL>", "<FINAL", "<FINAL>",
                                             "<FINAL/>x</FINAL>", "<FINAL a='/'></FINAL>"])
            else:
                text = self.tagged(propose if kind == "propose" else commit, text)
        if think:
            text = self.tagged("THINK", rng.choice(["so", "", "a < b", "I go <FINAL>up</FINAL>" if self.maybe(0.12) else "x"])) + text
        if self.maybe(0.04):
            text += self.tagged(rng.choice(["FINAL", "ANSWER", "route", "answer"]), self.body(task, answer))
        if self.maybe(0.1):
            text = rng.choice(["well: ", "\n", "é", "<b>"]) + text + rng.choice(["", ".", " \u200b"])
        return text

    def transcript(self, i):
        rng = self.rng
        self.calm = i % 2 == 0
        task = rng.choice(["maze", "maze", "table", "chart"])
        dialect = rng.choice(DIALECTS[task])
        truth, problem = self.maze() if task == "maze" else (self.region(), None)
        answers = [self.answer(task, truth, problem) for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 6]))]
        if self.maybe(0.1):
            answers.append(rng.choice(answers))
        turns = []
        for at, answer in enumerate(answers):
            think = (at > 0) != self.maybe(0.05) if dialect == "reflection_tag" else self.maybe(0.1)
            turns.append(self.turn(task, dialect, "propose", answer, think))
        committed = answers[-1] if self.maybe(0.9) else self.answer(task, truth, problem)
        turns.append(self.turn(task, dialect, "commit", committed, self.maybe(0.04)))
        pick = 1.0 if self.calm else rng.random()
        if pick < 0.05:
            turns.pop(rng.randrange(len(turns)))
        elif pick < 0.1:
            turns.insert(rng.randint(0, len(turns)), rng.choice(turns))
        elif pick < 0.15:
            rng.shuffle(turns)
        elif pick < 0.25:
            turns.insert(rng.randint(0, len(turns)), rng.choice(["", " ", "\n\t", "\u2028\x1f", "\u200b", "hm", "\ud800", "\x00"]))
        elif pick < 0.27:
            turns = []
        elif pick < 0.30:
            dialect = rng.choice(list(reference.DIALECTS))
        turns = [{"text": turn, "tokens": {"prompt": 3}} if self.maybe(0.1) else turn for turn in turns]
        row = {"id": f"t{i}", "task": task, "dialect": dialect, "truth": truth, "turns": turns, "more": [1]}
        if self.maybe(0.01):
            row[rng.choice(["turns", "truth", "dialect", "task"])] = rng.choice([None, "x", [3], {}])
        return row


def near(a, b):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(near(a[key], b[key]) for key in a)
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, (int, float)):
        return a is b or a == b
    return abs(a - b) <= 1e-9 * max(1.0, abs(b))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--n", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    differ, tally = 0, {"lines": 0, "refused": 0, "well formed": 0, "correct": 0, "no answer": 0}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for k, reward in enumerate(REWARDS):
            maker = Maker(args.seed * 1000 + k)
            rows = [maker.transcript(i) for i in range(args.n)]
            lines = [json.dumps(row, ensure_ascii=True) for row in rows]
            (folder / "in.jsonl").write_text("\n".join(lines) + "\n")
            word = reward
            if not isinstance(reward, str):
                (folder / "reward.json").write_text(json.dumps(reward))
                word = str(folder / "reward.json")
            command = [args.binary, str(folder / "in.jsonl"), word, str(folder / "out.jsonl")]
            if subprocess.run(command, stderr=subprocess.DEVNULL).returncode not in (0, 2):
                sys.exit(f"{args.binary} failed")
            found = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
            assert len(found) == len(lines), (len(found), len(lines))
            for line, got in zip(lines, found):
                try:
                    wanted = reference.score_line(line, reward)
                except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                    wanted = {"error": repr(error)}
                tally["lines"] += 1
                if "error" in wanted and "error" in got:
                    tally["refused"] += 1
                    continue
                if "error" not in wanted:
                    tally["well formed"] += wanted["reward"]["total"] != 0
                    tally["correct"] += wanted["score"]["correct"]
                    tally["no answer"] += wanted["score"]["proposals"] == 0
                if not near(wanted, got):
                    differ += 1
                    if differ <= 10:
                        print(f"reward {reward}\n  {line}\n  wanted {wanted}\n  got    {got}")
    print(tally, "differ:", differ)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
