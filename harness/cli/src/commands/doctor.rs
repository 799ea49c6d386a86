//! `vrrl doctor`: what works on this machine.

use serde::Serialize;
use vrrl_harness_experiment::Result;

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::output::{say, say_json, Format};

#[derive(Serialize)]
struct Report {
    version: &'static str,
    machine: String,
    cores: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_gib: Option<f64>,
    processor_features: Vec<&'static str>,
    devices: Vec<Check>,
    features: Vec<&'static str>,
    models: Vec<&'static str>,
    checks: Vec<Check>,
    onnx: super::onnx::Found,
}

#[derive(Serialize)]
pub(super) struct Check {
    pub name: &'static str,
    pub works: bool,
    pub detail: String,
}

pub(crate) fn doctor(args: &DoctorArgs) -> Result<Exit> {
    if args.fix {
        super::onnx::fix()?;
    }
    let report = examine();
    if args.format == Format::Json {
        say_json(&report)?;
        return Ok(Exit::Ok);
    }
    say(&format!("vrrl {}", report.version));
    say(&format!("machine: {}", report.machine));
    if let Some(memory) = report.memory_gib {
        say(&format!("memory: {memory:.1} GiB"));
    }
    say(&format!("processor features: {}", words(&report.processor_features)));
    say(&format!("built features: {}", words(&report.features)));
    say(&format!("models: {}", words(&report.models)));
    let onnx = std::iter::once(&report.onnx.engine);
    for check in report.devices.iter().chain(&report.checks).chain(onnx) {
        say(&format!("{} {}: {}", if check.works { "ok  " } else { "no  " }, check.name, check.detail));
    }
    report.onnx.tell();
    Ok(Exit::Ok)
}

fn words(words: &[&str]) -> String {
    if words.is_empty() {
        "none".into()
    } else {
        words.join(", ")
    }
}

fn examine() -> Report {
    let device = |name: &'static str| match vrrl_harness_runner_candle::device(name) {
        Ok(_) => Check { name, works: true, detail: "can train and score".into() },
        Err(error) => Check { name, works: false, detail: error.to_string() },
    };
    Report {
        version: vrrl_harness::CODE_VERSION,
        machine: vrrl_harness::machine(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_gib: memory_gib(),
        processor_features: processor_features(),
        devices: vec![device("cpu"), device("cuda")],
        features: if cfg!(feature = "cuda") { vec!["cuda"] } else { vec![] },
        models: vrrl_harness_experiment::MODELS.split(", ").collect(),
        checks: vec![writable()],
        onnx: super::onnx::look(),
    }
}

fn memory_gib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / f64::from(1u32 << 20))
}

#[cfg(target_arch = "x86_64")]
fn processor_features() -> Vec<&'static str> {
    let known = [
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ];
    known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn processor_features() -> Vec<&'static str> {
    Vec::new()
}

/// Whether runs can be written where the command stands.
fn writable() -> Check {
    let name = "current folder";
    let path = std::path::Path::new(".vrrl-doctor.tmp");
    let tried = std::fs::write(path, b"x").and_then(|()| std::fs::remove_file(path));
    match tried {
        Ok(()) => Check { name, works: true, detail: "can be written; runs go to runs/NAME".into() },
        Err(error) => Check {
            name,
            works: false,
            detail: format!("{error}; use --out with a folder that can be written"),
        },
    }
}
