"""Judges one reply to a vrrl question, by the rules of vrrl's own judge.

A reply commits with <FINAL>...</FINAL> or proposes with <ANSWER>...</ANSWER>; the first FINAL counts, else the
first ANSWER. A maze is right if the moves are as many as the shortest path has, none leaves the board or enters a
hole, and the last one enters the goal. A place is right inside its box, or within the tolerance of its point.
Written by `vrrl splits export`; needs nothing but Python.
"""

import json
import math
import re
from collections import deque

STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
TOLERANCE = 40.0


def body(text, tag):
    """What stands in the first closed <tag>, or None."""
    found = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", text, re.IGNORECASE | re.DOTALL)
    return found.group(1) if found else None


def answer_of(text, task):
    """The reply's answer: a list of moves, a pair of numbers, or None where it does not parse."""
    inside = body(text, "final")
    if inside is None:
        inside = body(text, "answer")
    if inside is None:
        return None
    words = [word for word in re.split(r"[,\s]+", inside) if word]
    if task == "maze":
        words = [word.lower() for word in words]
        return words if all(word in STEPS for word in words) else None
    try:
        numbers = [float(word) for word in words if "_" not in word]
    except ValueError:
        return None
    return numbers if len(numbers) == len(words) == 2 and all(map(math.isfinite, numbers)) else None


def shortest(rows, start, goal):
    """Moves on a shortest path between two cells, or None."""
    size = len(rows)
    seen, queue = {start: 0}, deque([start])
    while queue:
        cell = queue.popleft()
        if cell == goal:
            return seen[cell]
        for down, right in STEPS.values():
            row, column = cell[0] + down, cell[1] + right
            free = 0 <= row < size and 0 <= column < size and rows[row][column] != "H"
            if free and (row, column) not in seen:
                seen[row, column] = seen[cell] + 1
                queue.append((row, column))
    return None


def maze_is_right(moves, truth):
    """Whether the moves are a shortest path."""
    rows = ["".join(row) for row in truth["layout"]]
    size = len(rows)
    cell, goal = divmod(truth["start_pos"], size), divmod(truth["target_pos"], size)
    if len(moves) != shortest(rows, cell, goal):
        return False
    for move in moves:
        cell = cell[0] + STEPS[move][0], cell[1] + STEPS[move][1]
        if not (0 <= cell[0] < size and 0 <= cell[1] < size) or rows[cell[0]][cell[1]] == "H":
            return False
    return cell == goal


def place_is_right(point, truth):
    """Whether the point hits."""
    x, y = point
    if truth.get("box"):
        x0, y0, x1, y1 = truth["box"]
        return x0 <= x <= x1 and y0 <= y <= y1
    tolerance = truth.get("tolerance")
    far = math.hypot(x - truth["point"][0], y - truth["point"][1])
    return far <= (TOLERANCE if tolerance is None else tolerance)


def is_right(text, task, truth):
    """Whether the reply's answer is right; `truth` is an object or its JSON text."""
    truth = json.loads(truth) if isinstance(truth, str) else truth
    answer = answer_of(text, task)
    if answer is None:
        return False
    return maze_is_right(answer, truth) if task == "maze" else place_is_right(answer, truth)
