//! Made-up runs in the format of real ones, written as text so that the file format itself is tested.

#![allow(clippy::unwrap_used)] // only ever part of tests and of the example

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{json, Value};
use vrrl_harness_core::{sha256_hex, Rng, Seed};

/// One made-up policy: per split (in the order of [`SPLITS`]) chance of a right first proposal, chance that a
/// wrong one is fixed, chance that a wrong one is committed.
pub struct Fake {
    /// MODEL.
    pub model: &'static str,
    /// Method.
    pub method: &'static str,
    /// Training seed.
    pub seed: Option<u64>,
    /// First right, fixed, stopped on wrong, for id_test; harder splits scale down.
    pub skill: [f64; 3],
}

/// Name, role, shift, severity, cells on a side.
pub const SPLITS: [(&str, &str, &str, u64, u32); 4] = [
    ("quick/maze/id_test", "id_test", "", 0, 4),
    ("quick/maze/ood6", "ood_test", "size", 1, 6),
    ("quick/maze/ood7", "ood_test", "size", 2, 7),
    ("quick/maze/ood8", "ood_test", "size", 3, 8),
];

const TURNS: usize = 6;

/// Writes one run directory with `n` episodes a split and pictures for the first `pictures`.
pub fn write_run(root: &Path, fake: &Fake, decoding: &str, n: usize, pictures: usize) -> PathBuf {
    let name = fake.model.rsplit(['/', ':']).next().unwrap();
    let dir = root.join("evals").join(format!("{name}@{decoding}"));
    fs::create_dir_all(dir.join("images")).unwrap();
    let mut rng = Seed::from_text(&format!("{name}@{decoding}")).rng();
    let (mut summary, mut traces, mut scores) = (Vec::new(), String::new(), String::new());
    for (level, (split, role, .., size)) in SPLITS.iter().enumerate() {
        let mut episodes = Vec::new();
        for i in 0..n {
            let episode = Episode::play(fake, level, &mut rng);
            let id = format!("ood-{size}-{i:04}");
            let dir = (i < pictures).then_some(dir.as_path());
            traces += &(episode.trace(split, &id, *size, dir).to_string() + "\n");
            let score = json!({"correct": episode.last(), "correct_first": episode.right[0], "progress_first": 0.5, "progress_final": 1.0,
                "turns": episode.right.len() + 1, "proposals": episode.right.len(), "broke": false, "well_formed": true,
                "correct_by_turn": episode.by_turn(), "revisions": episode.right.len() - 1, "repeated": 0, "prompt_tokens": 90, "completion_tokens": 20});
            scores += &(json!({"split": split, "id": id, "repeat": 0, "role": role, "task": "maze", "end": episode.end(),
                "correct": episode.last(), "correct_first": episode.right[0], "score": score})
            .to_string()
                + "\n");
            episodes.push(episode);
        }
        summary.push(summarise(split, decoding, &episodes));
    }
    let infos: Vec<Value> = SPLITS
        .iter()
        .map(|(name, role, shift, severity, _)| json!({"name": name, "task": "maze", "role": role, "shift": shift, "severity": severity, "hash": sha256_hex(name.as_bytes()), "n": n}))
        .collect();
    let run = json!({"format": 1, "run_id": &sha256_hex(dir.to_string_lossy().split("evals").last().unwrap().as_bytes())[..12],
        "method": fake.method, "reference": fake.method == "reference", "train_seed": fake.seed, "seed": 1, "decoding": decoding, "config": {},
        "config_hash": sha256_hex(b"config"), "policy": {"name": fake.model, "backend": if fake.method == "reference" {"reference"} else {"candle"},
        "engine": "candle 0.11.1 cpu", "fingerprint": sha256_hex(fake.model.as_bytes())}, "view": "canvas", "splits": infos,
        "code_version": "0.1.0+d04a2fd", "machine": "2 cores, x86-64", "date": "2026-01-02T03:04:05Z"});
    fs::write(dir.join("run.json"), run.to_string()).unwrap();
    fs::write(dir.join("summary.json"), json!({"format": 1, "splits": summary}).to_string()).unwrap();
    fs::write(dir.join("traces.jsonl"), traces).unwrap();
    fs::write(dir.join("scores.jsonl"), scores).unwrap();
    dir
}

/// Whether each proposal is right.
struct Episode {
    right: Vec<bool>,
    committed: bool,
}

impl Episode {
    fn play(fake: &Fake, level: usize, rng: &mut Rng) -> Self {
        let [first, fixes, stops_wrong] = fake.skill;
        let hard = 0.72_f64.powi(level as i32);
        let mut right = vec![rng.unit() < first * hard];
        loop {
            let now = right[right.len() - 1];
            if rng.unit() < if now { 0.97 } else { stops_wrong } {
                return Self { right, committed: true };
            }
            if right.len() + 1 == TURNS {
                return Self { right, committed: false };
            }
            right.push(if now { rng.unit() < 0.5 } else { rng.unit() < fixes * hard });
        }
    }

    fn last(&self) -> bool {
        self.right[self.right.len() - 1]
    }

    fn end(&self) -> &'static str {
        if self.committed {
            "commit"
        } else {
            "turn_limit"
        }
    }

    fn by_turn(&self) -> Vec<bool> {
        let mut all = self.right.clone();
        all.extend(self.committed.then(|| self.last()));
        all
    }

    fn trace(&self, split: &str, id: &str, size: u32, keep: Option<&Path>) -> Value {
        let maze = Maze::new(size, &mut Seed::from_text(id).rng());
        let mut rng = Seed::from_text(id).derive("moves", 0).rng();
        let mut shown: Option<Vec<&str>> = None;
        let mut turns = Vec::new();
        for right in self.right.iter().map(|r| Some(*r)).chain(self.committed.then_some(None)) {
            let png = maze.png(shown.as_deref());
            let hash = sha256_hex(&png);
            if let Some(dir) = keep {
                fs::write(dir.join("images").join(format!("{hash}.png")), &png).unwrap();
            }
            let (text, action) = match right {
                Some(right) => {
                    let moves = if right { maze.path.clone() } else { maze.wrong(&mut rng) };
                    shown = Some(moves.clone());
                    (format!("<ANSWER>{}</ANSWER>", moves.join(" ")), json!({"propose": {"moves": moves}}))
                }
                None => ("<FINAL/>".to_owned(), json!({"commit": {"moves": shown.clone().unwrap()}})),
            };
            turns.push(json!({"text": text, "action": action, "image_sha256": hash, "seen": null, "tokens": {"prompt": 20, "completion": 8}}));
        }
        json!({"id": id, "split": split, "repeat": 0, "task": "maze", "dialect": "bare_commit", "turns": turns, "end": self.end(),
            "truth": {"layout": maze.rows(), "start_pos": 0, "target_pos": size * size - 1, "level": size}})
    }
}

/// A maze with a monotone path from corner to corner.
struct Maze {
    size: u32,
    holes: Vec<bool>,
    path: Vec<&'static str>,
}

impl Maze {
    fn new(size: u32, rng: &mut Rng) -> Self {
        let mut path: Vec<&str> = (1..size).flat_map(|_| ["right", "down"]).collect();
        rng.shuffle(&mut path);
        let mut holes: Vec<bool> = (0..size * size).map(|_| rng.chance(2, 5)).collect();
        let (mut r, mut c) = (0, 0);
        holes[0] = false;
        for step in &path {
            if *step == "down" {
                r += 1
            } else {
                c += 1
            }
            holes[(r * size + c) as usize] = false;
        }
        Self { size, holes, path }
    }

    fn wrong(&self, rng: &mut Rng) -> Vec<&'static str> {
        let cut = rng.index(self.path.len());
        let mut moves = self.path.clone();
        moves[cut] = if moves[cut] == "down" { "right" } else { "down" };
        moves
    }

    fn rows(&self) -> Vec<String> {
        let last = (self.size * self.size - 1) as usize;
        let letter = |i: usize| match i {
            0 => 'S',
            i if i == last => 'G',
            i if self.holes[i] => 'H',
            _ => 'F',
        };
        (0..self.size as usize)
            .map(|r| (0..self.size as usize).map(|c| letter(r * self.size as usize + c)).collect())
            .collect()
    }

    fn png(&self, moves: Option<&[&str]>) -> Vec<u8> {
        let mut image = image::RgbImage::from_pixel(64, 64, image::Rgb([40, 44, 52]));
        let mut cell = |r: i32, c: i32, inset: u32, color: [u8; 3]| {
            for y in inset..8 - inset {
                for x in inset..8 - inset {
                    let (px, py) = (c * 8 + x as i32, r * 8 + y as i32);
                    if (0..64).contains(&px) && (0..64).contains(&py) {
                        image.put_pixel(px as u32, py as u32, image::Rgb(color));
                    }
                }
            }
        };
        for (r, row) in self.rows().iter().enumerate() {
            for (c, letter) in row.chars().enumerate() {
                let color = match letter {
                    'S' => [90, 190, 110],
                    'G' => [240, 200, 60],
                    'H' => [30, 60, 120],
                    _ => [205, 225, 240],
                };
                cell(r as i32, c as i32, 0, color);
            }
        }
        let (mut r, mut c) = (0, 0);
        for step in moves.into_iter().flatten() {
            if *step == "down" {
                r += 1
            } else {
                c += 1
            }
            cell(r, c, 2, [220, 50, 40]);
        }
        let mut bytes = Vec::new();
        image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    }
}

fn summarise(split: &str, decoding: &str, episodes: &[Episode]) -> Value {
    let n = episodes.len() as f64;
    let share = |f: &dyn Fn(&Episode) -> bool| episodes.iter().filter(|e| f(e)).count() as f64 / n;
    let normal = |p: f64, sd: f64| json!({"value": p, "ci_low": p - 1.96 * sd / n.sqrt(), "ci_high": p + 1.96 * sd / n.sqrt()});
    let rate = |p: f64| json!({"value": p, "ci_low": (p - 1.96 * (p * (1.0 - p) / n).sqrt()).max(0.0), "ci_high": (p + 1.96 * (p * (1.0 - p) / n).sqrt()).min(1.0)});
    let of = |first, last| episodes.iter().filter(|e| e.right[0] == first && e.last() == last).count();
    let (first, last) = (share(&|e| e.right[0]), share(&Episode::last));
    let turns = episodes.iter().map(|e| e.by_turn().len() as f64).sum::<f64>() / n;
    let at = |e: &Episode, t: usize| e.by_turn().get(t).copied().unwrap_or_else(|| e.last());
    json!({"split": split, "n": episodes.len(), "faults": 0, "temperature": f64::from(u8::from(decoding != "greedy")), "max_turns": TURNS,
        "dialect": "bare_commit", "control": "none", "accuracy": rate(last), "accuracy_well_formed": rate(last), "first_accuracy": rate(first),
        "delta_ref": normal(last - first, 0.4), "turns_mean": normal(turns, 1.0), "proposals_mean": normal(turns - 1.0, 1.0), "repeat_rate": 0.125,
        "fixed": of(false, true), "broken": of(true, false), "kept_right": of(true, true), "kept_wrong": of(false, false),
        "accuracy_by_turn": (0..TURNS).map(|t| share(&|e| at(e, t))).collect::<Vec<_>>(),
        "reached_turn": (0..TURNS).map(|t| share(&|e| e.by_turn().len() > t)).collect::<Vec<_>>(),
        "commit_rate": share(&|e| e.committed), "turn_limit_rate": share(&|e| !e.committed), "format_fault_rate": 0.0, "transport_fault_rate": 0.0,
        "prompt_tokens_per_episode": 90.5, "completion_tokens_per_episode": 21.0})
}
