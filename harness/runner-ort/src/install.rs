//! Gets the library of ONNX Runtime from its package `onnxruntime` on PyPI, or on the index that pip is told to use.
//!
//! A wheel is a zip file; the library inside is a plain C library that needs no Python. The index states the wheel's
//! SHA-256, and what arrives must have it.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};
use vrrl_harness_core::sha256_hex;

use crate::engine::{cache, is_library};
use crate::Error;

const PACKAGE: &str = "onnxruntime";
/// Where pip looks without being told.
const INDEX: &str = "https://pypi.org/simple";
/// The versions whose interface this program was built for and tried with: the second number.
const VERSIONS: std::ops::RangeInclusive<u32> = 24..=31;
/// Largest wheel that is taken, bytes; it has some 25 MB.
const LARGEST: u64 = 300 << 20;

/// A library that was installed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Installed {
    /// The library.
    pub library: PathBuf,
    /// The wheel it came from.
    pub wheel: String,
    /// SHA-256 of the wheel, as stated and as found.
    pub sha256: String,
}

/// A wheel that the index offers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Wheel {
    name: String,
    url: String,
    sha256: String,
}

/// Installs the newest library that this program can use on this machine into the cache.
///
/// # Errors
/// If the index cannot be reached or has none for this machine, if a hash does not fit, or the disk refuses.
pub fn install() -> Result<Installed, Error> {
    let folder = cache().ok_or_else(|| Error::Install("no cache folder; set VRRL_CACHE to one".into()))?;
    let index = ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|url| !url.trim().is_empty()))
        .unwrap_or_else(|| INDEX.into());
    install_from(index.trim(), &folder)
}

fn install_from(index: &str, folder: &Path) -> Result<Installed, Error> {
    let agent = agent();
    let page = format!("{}/{PACKAGE}/", index.trim_end_matches('/'));
    let listing = get(&agent, &page, 64 << 20)?;
    let wheels = listed(&String::from_utf8_lossy(&listing), &page);
    let wheel = newest(&wheels, tag()).ok_or_else(|| {
        Error::Install(format!(
            "{} offers no wheel of {PACKAGE} 1.{} to 1.{} for this machine ({} wheels seen); get the library another \
             way and name it with --engine PATH",
            plain(&page),
            VERSIONS.start(),
            VERSIONS.end(),
            wheels.len()
        ))
    })?;
    let bytes = get(&agent, &wheel.url, LARGEST)?;
    let found = sha256_hex(&bytes);
    if found != wheel.sha256 {
        return Err(Error::Install(format!(
            "{} has SHA-256 {found}, the index says {}; nothing was installed",
            wheel.name, wheel.sha256
        )));
    }
    let (name, library) = unpack(&bytes).map_err(|why| Error::Install(format!("{}: {why}", wheel.name)))?;
    let io = |source| Error::Io { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(io)?;
    let (path, part) = (folder.join(&name), folder.join(format!("{name}.part")));
    fs::write(&part, library).and_then(|()| fs::rename(&part, &path)).map_err(io)?;
    Ok(Installed { library: path, wheel: wheel.name.clone(), sha256: found })
}

/// What wheels for this machine have in their names.
fn tag() -> (&'static str, &'static str) {
    let system = match std::env::consts::OS {
        "macos" => "macosx",
        "windows" => "win",
        _ => "manylinux",
    };
    let processor = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("macos", "aarch64") => "arm64",
        ("windows", "x86_64") => "amd64",
        ("windows", "aarch64") => "arm64",
        (_, processor) => processor,
    };
    (system, processor)
}

/// The wheels on an index page, JSON (PEP 691) or HTML (PEP 503). A wheel without a stated SHA-256 is none.
fn listed(text: &str, page: &str) -> Vec<Wheel> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return listed_html(text, page) };
    let files = value["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wheel = |file: &serde_json::Value| {
        let yanked = file["yanked"].as_bool().unwrap_or(file["yanked"].is_string());
        let (name, url) = (file["filename"].as_str()?, file["url"].as_str()?);
        let sha256 = file["hashes"]["sha256"].as_str()?;
        (!yanked).then(|| Wheel { name: name.into(), url: join(page, url), sha256: sha256.into() })
    };
    files.iter().filter_map(wheel).collect()
}

fn listed_html(text: &str, page: &str) -> Vec<Wheel> {
    let wheel = |anchor: &str| {
        let (head, _) = anchor.split_once('>')?;
        if head.contains("data-yanked") {
            return None;
        }
        let (_, rest) = head.split_once("href=")?;
        let quote = rest.chars().next()?;
        let href = rest[1..].split(quote).next()?.replace("&amp;", "&");
        let (url, hash) = href.split_once("#sha256=")?;
        let name = url.rsplit('/').next()?.to_owned();
        Some(Wheel { name, url: join(page, url), sha256: hash.to_owned() })
    };
    text.split("<a ").skip(1).filter_map(wheel).collect()
}

/// An address as it stands on a page: whole, from the server's root, or from the page.
fn join(page: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    let root = page.find("://").map_or(0, |at| at + 3);
    let host = page[root..].find('/').map_or(page.len(), |at| root + at);
    if link.starts_with('/') {
        return format!("{}{link}", &page[..host]);
    }
    let folder = page[host..].rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("{}/{}", &page[..host], parts.join("/"))
}

/// The newest wheel of a final version that fits; among those of one version any, as all hold the same library.
fn newest<'w>(wheels: &'w [Wheel], (system, processor): (&str, &str)) -> Option<&'w Wheel> {
    let version = |wheel: &Wheel| -> Option<Vec<u32>> {
        let rest = wheel.name.strip_prefix(PACKAGE)?.strip_prefix('-')?.strip_suffix(".whl")?;
        let (version, tags) = rest.split_once('-')?;
        let fits = tags.contains(system) && tags.ends_with(&format!("_{processor}"));
        let numbers: Vec<u32> = version.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        (fits && numbers[0] == 1 && VERSIONS.contains(numbers.get(1)?)).then_some(numbers)
    };
    wheels.iter().filter_map(|w| Some((version(w)?, &w.name, w))).max().map(|(_, _, wheel)| wheel)
}

/// The library in a wheel, by its bare name: no path from inside a wheel is followed.
fn unpack(wheel: &[u8]) -> Result<(String, Vec<u8>), String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(wheel)).map_err(|e| e.to_string())?;
    let inside = archive
        .file_names()
        .filter(|path| path.rsplit('/').next().is_some_and(is_library))
        .max_by_key(|path| path.len())
        .map(str::to_owned)
        .ok_or("it holds no library")?;
    let name = inside.rsplit('/').next().unwrap_or_default().to_owned();
    let file = archive.by_name(&inside).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST * 4).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok((name, bytes))
}

/// Proxies come from the usual variables, additional roots of trust from those that pip and OpenSSL read.
fn agent() -> Agent {
    let bundle = ["PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"]
        .iter()
        .find_map(|name| std::env::var_os(name).filter(|path| !path.is_empty()))
        .and_then(|path| fs::read(path).ok());
    let certificates: Vec<Certificate<'static>> = bundle
        .iter()
        .flat_map(|pem| ureq::tls::parse_pem(pem))
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let mut tls = TlsConfig::builder();
    if !certificates.is_empty() {
        tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
    }
    Agent::config_builder()
        .tls_config(tls.build())
        .proxy(Proxy::try_from_env())
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_global(Some(Duration::from_secs(600)))
        .user_agent(concat!("vrrl/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

fn get(agent: &Agent, url: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let failed = |e: ureq::Error| {
        let plain = plain(url);
        Error::Install(format!(
            "{plain}: {e}; behind a proxy set HTTPS_PROXY, for another index PIP_INDEX_URL"
        ))
    };
    let accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.5, */*;q=0.1";
    let mut response = agent.get(url).header("accept", accept).call().map_err(failed)?;
    response.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)
}

/// An address without name and password.
fn plain(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            format!("{scheme}://{}/{path}", host.rsplit('@').next().unwrap_or(host))
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn wheel(name: &str) -> Wheel {
        Wheel { name: name.into(), url: String::new(), sha256: String::new() }
    }

    #[test]
    fn the_newest_that_fits_is_chosen() {
        let wheels = [
            "onnxruntime-1.9.0-cp39-cp39-manylinux_2_17_x86_64.whl",
            "onnxruntime-1.24.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            "onnxruntime-1.31.1-cp311-cp311-macosx_13_0_arm64.whl",
            "onnxruntime-1.31.0rc1-cp311-cp311-manylinux_2_28_x86_64.whl",
            "onnxruntime-1.30.2-cp313-cp313-manylinux_2_28_x86_64.whl",
            "onnxruntime-1.99.0-cp313-cp313-manylinux_2_28_x86_64.whl",
        ]
        .map(wheel);
        let found = newest(&wheels, ("manylinux", "x86_64")).unwrap();
        assert!(found.name.starts_with("onnxruntime-1.30.2"), "{}", found.name);
        assert!(newest(&wheels, ("manylinux", "aarch64")).is_none());
    }

    #[test]
    fn both_kinds_of_pages_are_read() {
        let page = "https://host/root/simple/onnxruntime/";
        let json = r#"{"files": [{"filename": "a.whl", "url": "../../x/a.whl", "hashes": {"sha256": "1f"}},
            {"filename": "b.whl", "url": "https://h/b.whl", "hashes": {"sha256": "2f"}, "yanked": "broken"},
            {"filename": "c.whl", "url": "https://h/c.whl", "hashes": {}}]}"#;
        let html =
            r#"<a href="../../x/a.whl#sha256=1f">a.whl</a> <a data-yanked="" href="/b.whl#sha256=2f">b</a>"#;
        for text in [json, html] {
            let want =
                Wheel { name: "a.whl".into(), url: "https://host/root/x/a.whl".into(), sha256: "1f".into() };
            assert_eq!(listed(text, page), [want]);
        }
        assert_eq!(join(page, "/b.whl"), "https://host/b.whl");
        assert_eq!(plain("https://me:secret@host/simple/"), "https://host/simple/");
    }

    /// A server with one page and one wheel.
    fn serve(page: String, wheel: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                lines.take_while(|line| line.as_ref().is_ok_and(|l| !l.is_empty())).for_each(drop);
                let body = if first.contains(".whl") { wheel.clone() } else { page.clone().into_bytes() };
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).unwrap();
            }
        });
        format!("http://{address}/simple")
    }

    #[test]
    fn a_wheel_is_unpacked_if_its_hash_fits() {
        let library = crate::engine::system_name();
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("onnxruntime/capi/../../{library}"), options).unwrap();
        zip.write_all(b"a library").unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let (system, processor) = tag();
        let name = format!("onnxruntime-1.31.1-cp311-cp311-{system}_1_{processor}.whl");
        let page = |hash: &str| format!("<a href=\"/files/{name}#sha256={hash}\">{name}</a>");
        let dir = tempfile::tempdir().unwrap();
        let index = serve(page(&sha256_hex(&bytes)), bytes.clone());
        let installed = install_from(&index, dir.path()).unwrap();
        assert_eq!(installed.library, dir.path().join(&library));
        assert_eq!(fs::read(&installed.library).unwrap(), b"a library");
        let other = dir.path().join("other");
        let error = install_from(&serve(page(&"0".repeat(64)), bytes), &other).unwrap_err().to_string();
        assert!(error.contains("nothing was installed") && !other.exists(), "{error}");
        let error = install_from(&serve("nothing".into(), Vec::new()), &other).unwrap_err().to_string();
        assert!(error.contains("0 wheels seen"), "{error}");
    }
}
