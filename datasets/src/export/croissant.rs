//! Croissant 1.1: what the files are and what their columns mean, as JSON-LD beside the parquet files
//! (peers section 4.10). Written with every parquet export of one row an example.

use serde_json::{json, Map, Value as Json};

use super::plan::{fingerprint, Plan};
use super::value::{Columns, Type};
use super::write::Written;

/// What the validator reads as parquet; it does not know `application/vnd.apache.parquet`.
const PARQUET: &str = "application/x-parquet";
/// When pictures of this generator version were first drawn; no clock, so that equal exports are equal bytes.
const PUBLISHED: &str = "2026-11-21";

/// Name of the file.
pub(super) const FILE: &str = "croissant.json";

/// The description of a parquet export whose rows are `columns`.
pub(super) fn describe(plan: &Plan<'_>, files: &[Vec<Written>], columns: &Columns) -> Vec<u8> {
    let names: Vec<&str> = plan.splits.iter().map(|part| part.examples.def().name.as_str()).collect();
    let mut distribution: Vec<Json> = files.iter().flatten().map(object).collect();
    let mut records = Vec::new();
    for config in plan.configs() {
        distribution.push(set(plan, config));
        records.push(splits(plan, config));
        records.push(rows(plan, config, columns));
    }
    let about = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": names.join(", ").replace('/', "-"),
        "description": description(plan),
        "license": license(plan),
        "url": format!("urn:sha256:{}", fingerprint(&plan.describe())),
        "citeAs": format!("@misc{{vrrl, title = {{vrrl: visual questions with feedback, generator version {}}}}}", vrrl_generators::VERSION),
        "datePublished": PUBLISHED,
        "version": format!("{}.0.0", vrrl_generators::VERSION),
        "distribution": distribution,
        "recordSet": records,
    });
    (serde_json::to_string_pretty(&about).expect("a description is plain data") + "\n").into_bytes()
}

fn license(plan: &Plan<'_>) -> Json {
    if plan.is_ours() {
        json!(["https://spdx.org/licenses/Apache-2.0.html", "https://spdx.org/licenses/MIT.html"])
    } else {
        json!("What was imported keeps the terms of its source.")
    }
}

fn description(plan: &Plan<'_>) -> String {
    let splits: Vec<String> = plan
        .splits
        .iter()
        .map(|part| {
            let def = part.examples.def();
            format!(
                "{} = {} ({}, role {}, shift {}, severity {}, seed {})",
                part.name,
                def.name,
                def.task.word(),
                def.role.word(),
                def.shift_label(),
                def.severity_number(),
                def.seed
            )
        })
        .collect();
    format!(
        "Visual questions whose answers a program judges, drawn by vrrl generator version {}. Splits: {}.",
        vrrl_generators::VERSION,
        splits.join("; ")
    )
}

/// One data file with its hash.
fn object(file: &Written) -> Json {
    json!({
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "contentSize": format!("{} B", file.bytes),
        "encodingFormat": PARQUET,
        "sha256": file.sha256,
    })
}

/// All files of a configuration.
fn set(plan: &Plan<'_>, config: &str) -> Json {
    let globs: Vec<&str> =
        plan.splits.iter().filter(|part| part.config == config).map(|part| part.glob.as_str()).collect();
    json!({
        "@type": "cr:FileSet",
        "@id": format!("files-{config}"),
        "name": format!("files-{config}"),
        "description": "The parquet files of all splits.",
        "encodingFormat": PARQUET,
        "includes": globs,
    })
}

/// The names of the splits, as the format wants them listed.
fn splits(plan: &Plan<'_>, config: &str) -> Json {
    let id = format!("{config}_splits");
    let key = format!("{id}/split_name");
    let names = plan.splits.iter().filter(|part| part.config == config);
    json!({
        "@type": "cr:RecordSet",
        "@id": id,
        "name": id,
        "dataType": "cr:Split",
        "key": { "@id": key },
        "field": [{ "@type": "cr:Field", "@id": key, "name": key, "dataType": "sc:Text" }],
        "data": names.map(|part| json!({ key.clone(): part.name })).collect::<Vec<_>>(),
    })
}

/// One record set over the rows of a configuration.
fn rows(plan: &Plan<'_>, config: &str, columns: &Columns) -> Json {
    let names: Vec<&str> =
        plan.splits.iter().filter(|part| part.config == config).map(|part| part.name.as_str()).collect();
    let split = json!({
        "@type": "cr:Field",
        "@id": format!("{config}/split"),
        "name": format!("{config}/split"),
        "dataType": "sc:Text",
        "references": { "field": { "@id": format!("{config}_splits/split_name") } },
        "source": {
            "fileSet": { "@id": format!("files-{config}") },
            "extract": { "fileProperty": "fullpath" },
            "transform": { "regex": format!("(?:.*/)?({})(?:-[0-9]{{5}}-of-[0-9]{{5}}\\.parquet)?$", names.join("|")) },
        },
    });
    let mut fields = vec![split];
    fields.extend(columns.iter().map(|(name, kind)| field(config, name, kind)));
    json!({
        "@type": "cr:RecordSet",
        "@id": config,
        "name": config,
        "description": "One record an example.",
        "key": { "@id": format!("{config}/id") },
        "field": fields,
    })
}

fn field(config: &str, name: &str, kind: &Type) -> Json {
    let (data, transform) = match kind {
        Type::Picture => ("sc:ImageObject", Some(json!({ "jsonPath": "bytes" }))),
        Type::Int => ("sc:Integer", None),
        Type::Bool => ("sc:Boolean", None),
        Type::Text | Type::List(_) | Type::Struct(_) => ("sc:Text", None),
    };
    let mut source = Map::new();
    source.insert("fileSet".into(), json!({ "@id": format!("files-{config}") }));
    source.insert("extract".into(), json!({ "column": name }));
    source.extend(transform.map(|transform| ("transform".to_owned(), transform)));
    json!({
        "@type": "cr:Field",
        "@id": format!("{config}/{name}"),
        "name": format!("{config}/{name}"),
        "description": meaning(name),
        "dataType": data,
        "source": source,
    })
}

/// What a column holds.
fn meaning(column: &str) -> &'static str {
    match column {
        "image" => "The picture of the question, a PNG.",
        "id" => "Unique within the split.",
        "task" => "maze, table or chart.",
        "question" => "The question in words.",
        "answer" => "One right answer, possibly among several.",
        "truth" => "What decides whether an answer is right, as JSON text.",
        "params" => "Parameters of the generator, as JSON text.",
        "seed" => "Seed of the example, 16 hexadecimal digits.",
        "shift" => "Named way in which the split differs from in-distribution.",
        "severity" => "How far: 0 (in-distribution) to 5.",
        "content_hash" => "SHA-256 of the problem; equal for equal problems.",
        "image_sha256" => "SHA-256 of the PNG.",
        _ => "See the card.",
    }
}

/// The standard context of version 1.1.
fn context() -> Json {
    json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "arrayShape": "cr:arrayShape",
        "citeAs": "cr:citeAs",
        "column": "cr:column",
        "conformsTo": "dct:conformsTo",
        "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "description": { "@container": "@language" },
        "equivalentProperty": "cr:equivalentProperty",
        "examples": { "@id": "cr:examples", "@type": "@json" },
        "extract": "cr:extract",
        "field": "cr:field",
        "fileObject": "cr:fileObject",
        "fileProperty": "cr:fileProperty",
        "fileSet": "cr:fileSet",
        "format": "cr:format",
        "includes": "cr:includes",
        "isArray": "cr:isArray",
        "isLiveDataset": "cr:isLiveDataset",
        "jsonPath": "cr:jsonPath",
        "key": "cr:key",
        "md5": "cr:md5",
        "name": { "@container": "@language" },
        "parentField": "cr:parentField",
        "path": "cr:path",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "recordSet": "cr:recordSet",
        "references": "cr:references",
        "regex": "cr:regex",
        "repeated": "cr:repeated",
        "replace": "cr:replace",
        "samplingRate": "cr:samplingRate",
        "sc": "https://schema.org/",
        "separator": "cr:separator",
        "source": "cr:source",
        "subField": "cr:subField",
        "transform": "cr:transform",
    })
}
