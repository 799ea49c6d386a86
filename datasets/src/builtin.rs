//! The built-in splits, and names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use crate::yaml::nearest;
use crate::{ladder, Error, SplitDef};

macro_rules! files {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../", $file)))),*]
    };
}

/// Definitions that ship as files; in this order they are listed.
const FILES: &[(&str, &str)] = files![
    "quick/maze/train.yaml",
    "quick/maze/id_val.yaml",
    "quick/maze/id_test.yaml",
    "quick/maze/ood6.yaml",
    "quick/maze/ood7.yaml",
    "quick/maze/ood8.yaml",
    "quick/maze/dev6.yaml",
    "quick/maze/dev7.yaml",
    "quick/table/table_train.yaml",
    "quick/table/table_id_val.yaml",
    "quick/table/table_test.yaml",
    "quick/table/table_dev_large.yaml",
    "quick/table/table_large.yaml",
    "quick/table/table_cell.yaml",
    "quick/chart/chart_train.yaml",
    "quick/chart/chart_id_val.yaml",
    "quick/chart/chart_test.yaml",
    "quick/chart/chart_dev_lying.yaml",
    "quick/chart/chart_bars.yaml",
    "quick/chart/chart_scatter.yaml",
    "paper/maze/maze_base.yaml",
    "paper/maze/maze_sft.yaml",
    "paper/maze/maze_rl.yaml",
    "paper/maze/maze_val.yaml",
    "paper/maze/maze3.yaml",
    "paper/maze/maze4.yaml",
    "paper/maze/maze5.yaml",
    "paper/maze/maze6.yaml",
    "paper/maze/maze7.yaml",
    "paper/table/sft.yaml",
    "paper/table/rl.yaml",
    "paper/table/table_val.yaml",
    "paper/table/table_id.yaml",
    "paper/table/large_table.yaml",
    "paper/table/cell_query.yaml",
    "paper/chart/bar_chart.yaml",
    "paper/chart/scatter_plot.yaml",
];

/// The built-in splits: files first, then the ladder.
#[must_use]
pub fn catalog() -> &'static [SplitDef] {
    static ALL: OnceLock<Vec<SplitDef>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |&(file, text): &(&str, &str)| {
            SplitDef::from_yaml(text, file).expect("built-in definitions are tested")
        };
        FILES.iter().map(read).chain(ladder::splits().expect("the ladder is tested")).collect()
    })
}

/// The built-in split of this full name, or the only one whose name ends in these parts: `ood7` and `maze/ood7`
/// find `quick/maze/ood7`.
///
/// # Errors
/// [`Error::Name`] with the nearest or the candidate names.
pub fn find(name: &str) -> Result<SplitDef, Error> {
    choose(catalog(), name)
}

/// [`find`], or the definition in the file of this name where it ends in `.yaml` or `.yml`.
///
/// # Errors
/// As [`find`] and [`SplitDef::read`].
pub fn find_or_read(name: &str) -> Result<SplitDef, Error> {
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    if is_file {
        SplitDef::read(path)
    } else {
        find(name)
    }
}

fn choose(splits: &[SplitDef], name: &str) -> Result<SplitDef, Error> {
    let ends = |def: &&SplitDef| def.name.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'));
    let mut hits: Vec<&SplitDef> = splits.iter().filter(|def| def.name == name).collect();
    if hits.is_empty() {
        hits = splits.iter().filter(ends).collect();
    }
    if let [hit] = hits[..] {
        return Ok(hit.clone());
    }
    let known = if hits.is_empty() {
        let words = splits.iter().flat_map(|def| [def.name.as_str(), def.short_name()]);
        match nearest(name, words) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known: {}; `vrrl splits list` shows all", some(splits.iter())),
        }
    } else {
        format!("it could be any of {}; write the full name", some(hits.into_iter()))
    };
    Err(Error::Name { name: name.into(), known })
}

/// The first names of a list that may be long.
fn some<'d>(defs: impl ExactSizeIterator<Item = &'d SplitDef>) -> String {
    const SHOWN: usize = 12;
    let more = defs.len().saturating_sub(SHOWN);
    let names: Vec<&str> = defs.take(SHOWN).map(|def| def.name.as_str()).collect();
    let names = names.join(", ");
    if more == 0 {
        names
    } else {
        format!("{names} and {more} more")
    }
}

/// Refuses two different definitions of one name: both would draw from the same stream, and rows of a report
/// could not be told apart.
///
/// # Errors
/// [`Error::Definition`] naming both.
pub fn check_names<'d>(defs: impl IntoIterator<Item = &'d SplitDef>) -> Result<(), Error> {
    let mut seen: BTreeMap<&str, &SplitDef> = BTreeMap::new();
    for def in defs {
        match seen.insert(&def.name, def) {
            Some(other) if other != def => {
                let reason = "two different splits have this name; give one of them another".into();
                return Err(Error::Definition { file: def.name.clone(), reason });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalog_is_sound() {
        let all = catalog();
        let names: BTreeSet<&str> = all.iter().map(|def| def.name.as_str()).collect();
        assert_eq!(names.len(), all.len(), "a name stands there twice");
        check_names(all).unwrap();
        let (ladder, files): (Vec<_>, Vec<_>) = all.iter().partition(|def| def.name.starts_with("ladder/"));
        assert_eq!(files.len(), FILES.len());
        // Seeds are unique, but for rungs of the ladder, which show the same base scenes or have other names.
        let seeds: BTreeSet<u64> = files.iter().map(|def| def.seed).collect();
        assert_eq!(seeds.len(), files.len(), "a seed stands there twice");
        assert!(ladder.iter().all(|def| !seeds.contains(&def.seed)));
        // A file's name and place are the split's.
        for (def, (file, _)) in all.iter().zip(FILES) {
            assert_eq!(format!("{}.yaml", def.name), *file);
            assert!(file.starts_with(&format!(
                "{}/{}/",
                def.name.split('/').next().unwrap(),
                def.task.word()
            )));
        }
        // The last part is enough for all that ship as files.
        for def in files {
            assert_eq!(find(def.short_name()).unwrap().name, def.name);
        }
    }

    #[test]
    fn every_file_ships() {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut there = BTreeSet::new();
        for set in ["quick", "paper"] {
            let Ok(tasks) = std::fs::read_dir(home.join(set)) else { continue };
            for task in tasks.map(|task| task.unwrap().path()) {
                for file in std::fs::read_dir(&task).unwrap() {
                    let file = file.unwrap().path();
                    there.insert(file.strip_prefix(home).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        assert_eq!(there, FILES.iter().map(|(file, _)| (*file).to_owned()).collect());
    }

    #[test]
    fn names_are_found_by_their_last_parts() {
        assert_eq!(find("ood7").unwrap().name, "quick/maze/ood7");
        assert_eq!(find("quick/maze/ood7").unwrap().n, 1000);
        assert_eq!(find("maze/noise_3").unwrap().name, "ladder/maze/noise_3");
        assert!(find("odo7").unwrap_err().to_string().contains("did you mean ood7?"));
        assert!(find("something else").unwrap_err().to_string().contains("known: quick/maze/train"));
        assert!(find("od7").is_err() && find("").is_err() && find("/").is_err());
        let ood7 = find("ood7").unwrap();
        let twice = [ood7.clone(), SplitDef { name: "other/ood7".into(), ..ood7.clone() }];
        assert!(choose(&twice, "ood7").unwrap_err().to_string().contains("quick/maze/ood7, other/ood7"));
        let error = check_names(&[ood7.clone(), SplitDef { n: 5, ..ood7 }]).unwrap_err().to_string();
        assert!(error.contains("quick/maze/ood7") && error.contains("two different"), "{error}");
    }
}
