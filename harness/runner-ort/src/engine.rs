//! Which engine runs: a library of ONNX Runtime that is found, else the embedded one.
//!
//! A process has one engine. What was asked for by name is used or refused; what is found on the way but cannot
//! be used is an error too, never a reason to take another in silence.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use serde::Serialize;

use crate::Error;

/// The variable that names a library, as everywhere where `ort` is used.
pub const VARIABLE: &str = "ORT_DYLIB_PATH";
/// The word that asks for the engine that needs no library.
pub const EMBEDDED: &str = "embedded";
/// The word that asks for what is found.
pub const AUTO: &str = "auto";

/// The engine of this process.
#[derive(Clone)]
pub struct Engine {
    pub(crate) env: Environment,
    /// `onnxruntime`, or `tract` for the embedded one.
    pub backend: &'static str,
    /// Name, version and file.
    pub name: String,
    /// The library; `None` for the embedded engine.
    pub library: Option<PathBuf>,
}

/// A place where a library was looked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// Which: a flag, a folder.
    pub place: String,
    /// What lies there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<PathBuf>,
}

/// The engine that runs here already, and the wish that it was opened for.
static RUNNING: Mutex<Option<(String, Engine)>> = Mutex::new(None);

/// Opens the engine that `wish` names: `auto`, `embedded`, or the path of a library. A process that has one
/// already keeps it.
///
/// # Errors
/// If it is not there, is too old, or is another than the one that runs already.
pub fn open(wish: &str) -> Result<Engine, Error> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((before, engine)) = running.as_ref() {
        if before == wish {
            return Ok(engine.clone());
        }
        let reason = format!("{} runs in this process already; {wish} needs one of its own", engine.name);
        return Err(Error::Engine(reason));
    }
    let engine = start(wish)?;
    *running = Some((wish.to_owned(), engine.clone()));
    Ok(engine)
}

fn start(wish: &str) -> Result<Engine, Error> {
    if wish == EMBEDDED {
        return embedded();
    }
    if wish != AUTO {
        return library(Path::new(wish));
    }
    if let Some(found) = places().into_iter().find_map(|place| place.library) {
        return library(&found);
    }
    // The system's loader knows folders that nobody can list; that it has none is no error.
    match ort::init_from(system_name()) {
        Ok(_) => library(Path::new(&system_name())),
        Err(ort::LoadDynamicError::Dlopen { .. }) => embedded(),
        Err(error) => Err(unusable(Path::new(&system_name()), &error.to_string())),
    }
}

/// The places in order; the system's loader, which comes last, is not among them.
#[must_use]
pub fn places() -> Vec<Place> {
    let variable = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let mut places = vec![Place { place: format!("variable {VARIABLE}"), library: variable }];
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        let place = format!("beside the binary ({})", folder.display());
        places.push(Place { place, library: newest(folder) });
    }
    if let Some(folder) = cache() {
        places.push(Place { place: format!("cache ({})", folder.display()), library: newest(&folder) });
    }
    places
}

/// The folder that [`crate::install`] fills: `$VRRL_CACHE/onnxruntime`, else `vrrl/onnxruntime` in the user's cache.
#[must_use]
pub fn cache() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let user = || {
        variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .or_else(|| variable("LOCALAPPDATA"))
            .map(|cache| cache.join("vrrl"))
    };
    variable("VRRL_CACHE").or_else(user).map(|cache| cache.join("onnxruntime"))
}

/// Name under which the system's loader knows the library.
#[must_use]
pub fn system_name() -> String {
    format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Whether a file's name is that of a library: `libonnxruntime.so`, `libonnxruntime.so.1.31.1`,
/// `libonnxruntime.1.31.1.dylib`, `onnxruntime.dll`.
pub(crate) fn is_library(name: &str) -> bool {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let Some(rest) = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix("onnxruntime")) else {
        return false;
    };
    let version = |text: &str| text.is_empty() || text.starts_with('.') && numbers(text).len() > 1;
    rest.strip_prefix(suffix).is_some_and(version) || rest.strip_suffix(suffix).is_some_and(version)
}

fn numbers(name: &str) -> Vec<u32> {
    name.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// The library with the highest version in a folder.
fn newest(folder: &Path) -> Option<PathBuf> {
    let names =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.filter(|name| is_library(name)).max_by_key(|name| (numbers(name), name.clone()))?;
    Some(folder.join(name))
}

fn unusable(path: &Path, reason: &str) -> Error {
    let embedded =
        if cfg!(feature = "embedded") { ", or --engine embedded for the built-in one" } else { "" };
    Error::Engine(format!(
        "{} cannot be used: {reason}; name another with --engine PATH or {VARIABLE}{embedded}",
        path.display()
    ))
}

fn library(path: &Path) -> Result<Engine, Error> {
    // `ort` would look beside the binary for a relative path; the user means the current folder.
    let absolute = if path.components().count() > 1 { std::path::absolute(path).ok() } else { None };
    let path = absolute.as_deref().unwrap_or(path);
    let builder = ort::init_from(path).map_err(|e| unusable(path, &e.to_string()))?;
    let env = builder
        .with_name("vrrl")
        .with_telemetry(false)
        .build()
        .map_err(|e| unusable(path, &e.to_string()))?;
    // Behind a link without a version stands the file with one.
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let file = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = format!("onnxruntime {} ({file})", version(ort::info(), &file));
    Ok(Engine { env, backend: "onnxruntime", name, library: Some(path.to_owned()) })
}

/// The version, from the file's name or from words like `ORT Build Info: git-branch=rel-1.31.1, git-commit-id=1b2c, …`;
/// packages on PyPI say `HEAD` there, and then the commit is the version.
fn version(info: &str, file: &str) -> String {
    let after = |key: &str| {
        let rest = info.split_once(key)?.1;
        rest.split([',', ' ']).next().filter(|word| !word.is_empty()).map(str::to_owned)
    };
    let release = after("git-branch=").and_then(|branch| branch.strip_prefix("rel-").map(str::to_owned));
    let named = numbers(file);
    let named = (named.len() > 1).then(|| named.iter().map(u32::to_string).collect::<Vec<_>>().join("."));
    let commit = || after("git-commit-id=").map(|id| format!("commit {id}"));
    release.or(named).or_else(commit).unwrap_or_else(|| "of an unknown version".into())
}

#[cfg(feature = "embedded")]
fn embedded() -> Result<Engine, Error> {
    // Its version is ort-tract's; the workspace pins it.
    let name = "tract 0.23 (ort-tract 0.5.0, embedded)".to_owned();
    if !ort::set_api(ort_tract::api()) {
        return Err(Error::Engine("another engine was set up before the embedded one".into()));
    }
    let env = ort::init().build().map_err(|e| Error::Engine(format!("the embedded engine: {e}")))?;
    Ok(Engine { env, backend: "tract", name, library: None })
}

#[cfg(not(feature = "embedded"))]
fn embedded() -> Result<Engine, Error> {
    Err(Error::Engine(format!(
        "no library was found and this build has no embedded engine; name one with --engine PATH or {VARIABLE}, or get \
         one with `vrrl doctor --fix`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn libraries_are_known_by_their_names() {
        for name in ["libonnxruntime.so", "libonnxruntime.so.1.31.1"] {
            assert!(is_library(name), "{name}");
        }
        for name in
            ["libonnxruntime_providers_shared.so", "libonnxruntime.so.part", "onnxruntime.so", "libonnx.so"]
        {
            assert!(!is_library(name), "{name}");
        }
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so"]
        {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert!(newest(dir.path()).unwrap().ends_with("libonnxruntime.so.1.31.1"));
    }

    #[test]
    fn the_version_is_read_from_the_build() {
        let info = "ORT Build Info: git-branch=HEAD, git-commit-id=1b2c, build type=Release";
        assert_eq!(version(&info.replace("HEAD", "rel-1.31.1"), "x.so"), "1.31.1");
        assert_eq!(version(info, "libonnxruntime.so.1.31.1"), "1.31.1");
        assert_eq!(version(info, "libonnxruntime.so"), "commit 1b2c");
    }

    #[test]
    fn a_library_that_is_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("libonnxruntime.so.1.2.3");
        std::fs::write(&path, "no library").unwrap();
        let error = library(&path).err().unwrap().to_string();
        assert!(error.contains("libonnxruntime.so.1.2.3") && error.contains("--engine PATH"), "{error}");
    }
}
