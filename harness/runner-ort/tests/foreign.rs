//! A small three-file model by another exporter (tests/python/make_vlm.py: PyTorch, random weights, rotary
//! positions, grouped queries), whole and broken, with the embedded engine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vrrl_harness_core::{
    Action, Constraint, Dialect, Example, Fault, Image, Observation, Owner, Policy, Reply, Request, Sampling,
    Seed, Turn,
};
use vrrl_harness_runner_ort::{engine, Error, Options, OrtPolicy};

#[path = "../../core/src/toy.rs"]
#[allow(dead_code)]
mod toy;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/vlm")
}

fn open(dir: &Path, variant: &str) -> Result<OrtPolicy, Error> {
    let options = Options { engine: engine::EMBEDDED.into(), threads: Some(2), ..Options::default() };
    OrtPolicy::open(&format!("{}{variant}", dir.display()), &options)
}

/// The picture of make_vlm.py.
fn picture(shift: u32) -> Observation {
    let colour = |x: u32, y: u32| [x * 16 + shift, y * 16 + 2 * shift, (x + y) * 8 + shift].map(|c| c as u8);
    let image = Image::from_fn(16, 16, |x, y| image::Rgb(colour(x, y)));
    Observation { image: Some(Arc::new(image)), ..Observation::default() }
}

struct Asked {
    episode: u64,
    history: Vec<Turn>,
    observation: Observation,
}

fn ask(policy: &mut OrtPolicy, example: &Example, asked: &[Asked]) -> Vec<Result<Reply, Fault>> {
    let requests: Vec<Request<'_>> = asked
        .iter()
        .map(|a| Request {
            episode: a.episode,
            example,
            history: &a.history,
            observation: &a.observation,
            dialect: Dialect::BareCommit,
            seed: Seed(a.episode),
            sampling: Sampling { temperature: 0.0, max_tokens: 6 },
            constraint: Constraint::Free,
        })
        .collect();
    policy.respond(&requests)
}

fn turn(observation: Observation, reply: Reply) -> Turn {
    Turn { observation, reply, action: Action::Malformed }
}

fn expected() -> Vec<(Vec<u32>, Vec<f64>)> {
    let text = fs::read_to_string(fixture().join("expected.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let turns = value["turns"].as_array().unwrap().iter();
    turns
        .map(|turn| {
            let ids = turn["ids"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
            (ids, turn["log_probs"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect())
        })
        .collect()
}

fn check(reply: &Reply, (ids, log_probs): &(Vec<u32>, Vec<f64>), tolerance: f64) {
    let tokens = reply.tokens.as_ref().unwrap();
    assert_eq!(&tokens.ids, ids);
    for (have, want) in tokens.log_probs.iter().zip(log_probs) {
        assert!((f64::from(*have) - want).abs() < tolerance, "{have} {want}");
    }
}

/// Two turns as PyTorch decodes them: alone, beside episodes of other lengths, and with a history that the policy
/// did not decode itself.
fn decodes(variant: &str, tolerance: f64) {
    let example = toy::examples("toy", 1, Seed(1)).remove(0);
    let want = expected();
    let mut policy = open(&fixture(), variant).unwrap();
    let one = |episode, history, shift| Asked { episode, history, observation: picture(shift) };
    let first = ask(&mut policy, &example, &[one(0, vec![], 0)]).remove(0).unwrap();
    check(&first, &want[0], tolerance);
    let history = vec![turn(picture(0), first.clone())];
    let padded = ask(
        &mut policy,
        &example,
        &[one(7, vec![], 30), one(0, history.clone(), 100), one(8, history.clone(), 100), one(9, vec![], 0)],
    );
    let padded: Vec<Reply> = padded.into_iter().map(Result::unwrap).collect();
    check(&padded[1], &want[1], tolerance);
    check(&padded[2], &want[1], tolerance);
    check(&padded[3], &want[0], tolerance);
    assert_eq!(padded[1].prompt_tokens, 4 + 1 + 6 + 4 + 1);
    // The others went on while some were done.
    let third = [turn(picture(0), first), turn(picture(100), padded[1].clone())].to_vec();
    let both = ask(&mut policy, &example, &[one(0, third.clone(), 50), one(20, third, 50)]);
    let ids = |r: &Result<Reply, Fault>| r.as_ref().unwrap().tokens.clone().unwrap().ids;
    assert_eq!(ids(&both[0]), ids(&both[1]));
}

#[test]
fn the_foreign_model_decodes_as_its_author_does() {
    decodes("", 1e-4);
}

#[test]
fn its_halves_decode_within_their_precision() {
    decodes("#fp16", 3e-2);
}

#[test]
fn a_forced_revision_opens_as_revisions_do() {
    let example = toy::examples("toy", 1, Seed(1)).remove(0);
    let observation = picture(0);
    let mut policy = open(&fixture(), "").unwrap();
    let request = |constraint| Request {
        episode: 0,
        example: &example,
        history: &[],
        observation: &observation,
        dialect: Dialect::BareCommit,
        seed: Seed(1),
        sampling: Sampling { temperature: 0.0, max_tokens: 6 },
        constraint,
    };
    let free = policy.respond(&[request(Constraint::Free)]).remove(0).unwrap();
    let forced =
        policy.respond(&[Request { episode: 1, ..request(Constraint::MustRevise) }]).remove(0).unwrap();
    assert!(!free.text.starts_with("<ANSWER>"), "else nothing is forced: {}", free.text);
    assert!(forced.text.starts_with("<ANSWER>"), "{}", forced.text);
    let (free, forced) = (free.tokens.unwrap(), forced.tokens.unwrap());
    assert_eq!(forced.owners[0], Owner::Trigger);
    assert!(forced.owners[1..].iter().chain(&free.owners).all(|owner| *owner == Owner::Policy));
    // What the policy would have said is likelier than what it had to.
    assert!(forced.log_probs[0] < free.log_probs[0], "{forced:?} {free:?}");
}

#[test]
fn the_engine_is_named() {
    let policy = open(&fixture(), "").unwrap();
    let info = policy.info();
    assert_eq!((info.backend.as_str(), info.name.as_str()), ("tract", "vlm"));
    assert!(info.engine.contains("embedded") && info.engine.ends_with("cpu"), "{}", info.engine);
    let other = open(&fixture(), "#fp16").unwrap().info();
    assert_eq!(other.name, "vlm#fp16");
    assert_ne!(other.fingerprint, info.fingerprint);
    let error = engine::open("/no/such/library.so").err().unwrap().to_string();
    assert!(error.contains("runs in this process already"), "{error}");
}

/// A copy of the fixture to break.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(fixture()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    dir
}

fn refused(dir: &Path) -> (Error, String) {
    let error = open(dir, "").err().unwrap();
    let text = error.to_string();
    (error, text)
}

/// Replaces every occurrence of bytes by others of equal length.
fn replace(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    assert_eq!(from.len(), to.len());
    let mut count = 0;
    for at in 0..=bytes.len().saturating_sub(from.len()) {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + from.len()].copy_from_slice(to);
            count += 1;
        }
    }
    assert!(count > 0);
    fs::write(path, bytes).unwrap();
}

#[test]
fn broken_files_are_refused_by_name() {
    let decoder = "decoder_model_merged.onnx";
    let dir = copy();
    let whole = fs::read(dir.path().join(decoder)).unwrap();
    fs::write(dir.path().join(decoder), &whole[..whole.len() / 2]).unwrap();
    let (error, text) = refused(dir.path());
    assert!(matches!(error, Error::Cut { .. }) && text.contains(decoder), "{text}");

    let dir = copy();
    let opset = [0x42, 2, 0x10, 17];
    let mut foreign = opset;
    foreign[3] = 99;
    replace(&dir.path().join(decoder), &opset, &foreign);
    let (error, text) = refused(dir.path());
    assert!(matches!(error, Error::Opset { found: 99, .. }), "{text}");

    let dir = copy();
    fs::remove_file(dir.path().join(decoder)).unwrap();
    fs::remove_file(dir.path().join("decoder_model_merged_fp16.onnx")).unwrap();
    let (error, text) = refused(dir.path());
    assert!(matches!(error, Error::Io { .. }) && text.contains(decoder), "{text}");

    let dir = copy();
    fs::write(dir.path().join("tokenizer.json"), "{\"model\": {\"type\": \"BPE\"}}").unwrap();
    let (_, text) = refused(dir.path());
    assert!(text.contains("tokenizer.json") && text.contains("openai:URL#NAME"), "{text}");

    let dir = copy();
    fs::write(dir.path().join("preprocessor_config.json"), "{\"size\": {\"height\": 16, \"width\": 24}}")
        .unwrap();
    let (_, text) = refused(dir.path());
    assert!(text.contains("16 × 24"), "{text}");
}

#[test]
fn graphs_of_another_kind_are_refused_by_name() {
    let decoder = "decoder_model_merged.onnx";
    let dir = copy();
    replace(&dir.path().join(decoder), b"position_ids", b"position_abc");
    let (_, text) = refused(dir.path());
    assert!(text.contains("`position_abc`") && text.contains("not known here"), "{text}");
}

#[test]
fn a_cache_that_does_not_fit_is_refused_by_name() {
    let decoder = "decoder_model_merged.onnx";
    let dir = copy();
    replace(&dir.path().join(decoder), b"present.1.value", b"present.9.value");
    let (error, text) = refused(dir.path());
    assert!(matches!(error, Error::Missing { .. }) && text.contains("no output `present.1.value`"), "{text}");

    // Keys and values are declared 5 wide, and the graph makes them 6 wide.
    let dir = copy();
    replace(&dir.path().join(decoder), &[0x0a, 2, 0x08, 6], &[0x0a, 2, 0x08, 5]);
    let (_, text) = refused(dir.path());
    assert!(text.contains(decoder), "{text}");
}
