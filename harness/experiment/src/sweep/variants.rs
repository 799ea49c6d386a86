//! Keys and variants of a sweep's file, checked as far as they can be without a recipe.

use serde_yaml::{Mapping, Value};

use super::key::{short_names, value_name, Key};
use super::Sweep;
use crate::{Error, Experiment, Result};

/// Most variants of one sweep; a slip of the pen makes more.
const MOST: usize = 2000;

/// One combination of values.
pub(super) struct Variant {
    /// Its own name, or that of its values.
    pub name: String,
    /// Whether rows are named by their values (a point of the grid) or by the variant.
    pub of_grid: bool,
    /// Key, by index, and value.
    pub values: Vec<(usize, Value)>,
}

/// Keys and variants of the file.
pub(super) fn read(sweep: &Sweep, experiment: &Experiment) -> Result<(Vec<Key>, Vec<Variant>)> {
    let mut keys: Vec<Key> = Vec::new();
    let mut place = |text: &Value| -> Result<usize> {
        let text =
            text.as_str().ok_or_else(|| Error::Input("a key is a text such as METHOD.rl.steps".into()))?;
        let key = Key::read(text, experiment)?;
        Ok(keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            keys.push(key);
            keys.len() - 1
        }))
    };
    let mut axes: Vec<(usize, Vec<Value>)> = Vec::new();
    for (text, values) in &sweep.grid {
        let key = place(text).map_err(|e| Error::Input(format!("grid: {e}")))?;
        match values {
            Value::Sequence(values) if !values.is_empty() => axes.push((key, values.clone())),
            _ => {
                let text = text.as_str().unwrap_or_default();
                return Err(Error::Input(format!(
                    "grid: `{text}` needs a list of values: [a, b]; what is the same everywhere stands under `set`"
                )));
            }
        }
    }
    let mut named: Vec<Variant> = Vec::new();
    for (name, values) in &sweep.variants {
        let name = name.as_str().unwrap_or_default().to_owned();
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name.is_empty()
            || !name.chars().all(lower)
            || !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            return Err(Error::Input(format!("variants: {name:?} names folders; use a-z, 0-9, _ and -")));
        }
        let values = match values {
            Value::Mapping(values) => values.clone(),
            Value::Null => Mapping::new(),
            _ => {
                return Err(Error::Input(format!(
                    "variant {name}: needs values by key: {{METHOD.KEY: value}}"
                )))
            }
        };
        let read = |(key, value): (&Value, &Value)| Ok((place(key)?, value.clone()));
        let values: Result<Vec<_>> = values.iter().map(read).collect();
        let values = values.map_err(|e| Error::Input(format!("variant {name}: {e}")))?;
        named.push(Variant { name, of_grid: false, values });
    }
    let size = axes.iter().try_fold(1usize, |size, (_, values)| size.checked_mul(values.len()));
    if size.is_none_or(|size| size > MOST) {
        return Err(Error::Input(format!("grid: more than {MOST} variants; give fewer values")));
    }
    let short = short_names(&keys);
    let mut variants = points(&axes, &short);
    variants.extend(named);
    if variants.is_empty() {
        variants.push(Variant { name: "seeds".into(), of_grid: false, values: vec![] });
    }
    for variant in &variants {
        for (i, (a, _)) in variant.values.iter().enumerate() {
            if let Some((b, _)) = variant.values[..i].iter().find(|(b, _)| keys[*a].overlaps(&keys[*b])) {
                let (name, a, b) = (&variant.name, &keys[*a].text, &keys[*b].text);
                return Err(Error::Input(format!("variant {name}: `{b}` and `{a}` set the same thing")));
            }
        }
    }
    Ok((keys, variants))
}

/// Every combination, the last key turning fastest.
fn points(axes: &[(usize, Vec<Value>)], short: &[String]) -> Vec<Variant> {
    if axes.is_empty() {
        return Vec::new();
    }
    let mut all: Vec<Vec<(usize, Value)>> = vec![vec![]];
    for (key, values) in axes {
        let with = |point: &Vec<(usize, Value)>| {
            let point = point.clone();
            let more = values.iter().map(move |value| [&point[..], &[(*key, value.clone())]].concat());
            more.collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with).collect();
    }
    all.into_iter().map(|values| Variant { name: slug(&values, short), of_grid: true, values }).collect()
}

/// Values as a name, in the order of their keys.
pub(super) fn slug(values: &[(usize, Value)], short: &[String]) -> String {
    let part = |(key, value): &(usize, Value)| format!("{}-{}", short[*key], value_name(value));
    values.iter().map(part).collect::<Vec<_>>().join("-")
}
