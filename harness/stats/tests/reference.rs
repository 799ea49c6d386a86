//! Against scipy and statsmodels: `reference.json` holds each call beside its value; `reference.py` made it.

#![allow(clippy::unwrap_used, reason = "a table that does not read is a failed test")]

use serde_json::Value;
use vrrl_harness_stats::{
    benjamini_hochberg, bootstrap, clopper_pearson, compare_methods, exact_power, holm, label_exchange,
    mcnemar_exact, mcnemar_midp, severity_slope, sign_flip, tango, weighted_shares, wilson_at, Attempts,
    Bootstrap, Estimate, Pairs, Seed, Share, Weighted, USUAL,
};

struct Row(Value);

impl Row {
    fn int(&self, key: &str) -> usize {
        self.0[key].as_u64().unwrap_or_else(|| panic!("{key} in {}", self.0)) as usize
    }

    fn real(&self, key: &str) -> f64 {
        self.0[key].as_f64().unwrap_or_else(|| panic!("{key} in {}", self.0))
    }

    fn list(&self, key: &str) -> Vec<f64> {
        match &self.0[key] {
            Value::Array(values) => values.iter().map(|v| v.as_f64().unwrap()).collect(),
            value => vec![value.as_f64().unwrap()],
        }
    }

    fn pairs(&self) -> Pairs {
        Pairs {
            both: self.int("both"),
            only_a: self.int("only_a"),
            only_b: self.int("only_b"),
            neither: self.int("neither"),
        }
    }

    fn share(&self, of: fn(usize, usize, f64) -> Option<Estimate>) -> Vec<f64> {
        ends(of(self.int("k"), self.int("n"), self.real("level")).unwrap())
    }

    fn attempts(&self) -> Attempts {
        Attempts { right: self.int("right"), n: self.int("n") }
    }
}

fn ends(estimate: Estimate) -> Vec<f64> {
    vec![estimate.ci_low, estimate.ci_high]
}

fn independent(row: &Row) -> Vec<f64> {
    let part = |weight, k: &str, n: &str| Weighted { weight, successes: row.int(k), n: row.int(n) };
    ends(weighted_shares(&[part(1.0, "a", "n"), part(-1.0, "b", "m")], 0.95).unwrap())
}

fn t_test(row: &Row) -> Vec<f64> {
    let found = compare_methods(&row.list("d"), 0.95, Seed(1)).unwrap();
    let diff = found.diff.unwrap();
    vec![found.p_t.unwrap(), diff.ci_low, diff.ci_high]
}

fn resampled(row: &Row) -> Vec<f64> {
    let kind = if row.0["method"] == "BCa" { Bootstrap::Bca } else { Bootstrap::Percentile };
    ends(bootstrap(&row.list("x"), 0.95, 200_000, kind, Seed(1)).unwrap())
}

fn slope(row: &Row) -> f64 {
    let samples: Vec<(f64, Share)> = row
        .list("right")
        .iter()
        .enumerate()
        .map(|(s, right)| (s as f64, Share { right: *right as usize, n: 200 }))
        .collect();
    severity_slope(&samples, 0.95).unwrap().value
}

#[test]
fn scipy_and_statsmodels_agree() {
    let table: Value = serde_json::from_str(include_str!("reference.json")).unwrap();
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    for row in table["rows"].as_array().unwrap() {
        let row = Row(row.clone());
        let kind = row.0["kind"].as_str().unwrap();
        *kinds.entry(kind.into()).or_default() += 1;
        let seed = Seed(1);
        let (found, tolerance) = match kind {
            "wilson" => (row.share(wilson_at), 1e-12),
            "clopper_pearson" => (row.share(clopper_pearson), 1e-10),
            "independent" => (independent(&row), 1e-12),
            "mcnemar_exact" => (vec![mcnemar_exact(&row.pairs()).unwrap()], 1e-12),
            "mcnemar_midp" => (vec![mcnemar_midp(&row.pairs()).unwrap()], 1e-12),
            // A numerical maximum inside a numerical root.
            "tango" => (ends(tango(&row.pairs(), 0.95).unwrap()), 1e-6),
            "holm" => (holm(&row.list("p")), 1e-14),
            "benjamini_hochberg" => (benjamini_hochberg(&row.list("p")), 1e-14),
            "sign_flip" => (vec![sign_flip(&row.list("d"), seed).unwrap().p], 1e-12),
            "label_exchange" => {
                (vec![label_exchange(&row.list("a"), &row.list("b"), seed).unwrap().p], 1e-12)
            }
            "t_test" => (t_test(&row), 1e-9),
            // Other random numbers: the 2.5 % points of 200,000 resamples scatter by some 0.3 % of the width.
            "bootstrap" => {
                let value = row.list("value");
                (resampled(&row), 0.01 * (value[1] - value[0]))
            }
            "mde" => (vec![USUAL.mde(row.int("n"), row.real("psi")).unwrap()], 1e-10),
            "exact_power" => {
                (vec![exact_power(row.int("n"), row.real("psi"), row.real("delta"), 0.05)], 1e-10)
            }
            "pass_at" => (vec![row.attempts().pass_at(row.int("k")).unwrap()], 1e-12),
            "reliability" => (vec![row.attempts().reliability(row.int("k")).unwrap()], 1e-12),
            "slope" => (vec![slope(&row)], 1e-12),
            other => panic!("no test of {other}"),
        };
        let value = row.list("value");
        assert_eq!(found.len(), value.len(), "{}", row.0);
        for (found, value) in found.iter().zip(&value) {
            assert!((found - value).abs() <= tolerance, "{found} is not {value}: {}", row.0);
        }
    }
    assert_eq!(kinds.len(), 17, "every kind of call is in the table: {kinds:?}");
}
