//! Nearly equal pictures of two splits.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vrrl_harness_core::{Image, View};

use super::look::{alike, distance, hash, Hash, DISTANCE};
use crate::{Error, Examples};

/// Of a test picture: how many candidates are looked at, nearest first.
const LOOKED_AT: usize = 4;
/// Two hashes no more than [`DISTANCE`] bits apart have at least one of this many bands in common.
const BANDS: usize = DISTANCE as usize + 1;
/// Values of a band: 16 of the 256 bits.
const VALUES: usize = 1 << 16;

/// What a comparison of pictures found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NearDuplicates {
    /// Test pictures that were compared. Others are of one colour: of an imported place nothing can be drawn.
    pub compared: usize,
    /// Test pictures with a candidate in training: the perceptual hash is at most 15 of 256 bits away.
    pub candidates: usize,
    /// Of these, those that look like one of their four nearest candidates: nine tenths of what is drawn is equal.
    pub test: usize,
    /// Of these, those whose problem no training item equals up to symmetry, so that forms alone did not find them.
    pub beyond: usize,
}

/// Hashes of the crisp pictures of a split in order: 40 bytes each.
pub(super) struct Looks {
    hashes: Vec<Option<Hash>>,
}

impl Looks {
    /// Draws every picture once.
    pub(super) fn of(examples: &Examples) -> Result<Self, Error> {
        let mut hashes = Vec::with_capacity(examples.len());
        examples.each_batch(&mut |_, items| {
            let one = |item: &crate::Item| hash(&item.example.problem.observe(View::Crisp));
            hashes.append(&mut items.par_iter().map(one).collect());
            Ok(())
        })?;
        Ok(Self { hashes })
    }

    pub(super) fn compared(&self) -> usize {
        self.hashes.iter().flatten().count()
    }
}

/// The nearest training pictures of every test picture: (distance, item), at most [`LOOKED_AT`].
///
/// Nothing within [`DISTANCE`] is missed: either all pairs are compared, or, where that is less work, those that agree in
/// a band.
pub(super) fn candidates(train: &Looks, test: &Looks) -> Vec<Vec<(u32, u32)>> {
    let known: Vec<(Hash, u32)> =
        train.hashes.iter().zip(0..).filter_map(|(hash, item)| Some(((*hash)?, item))).collect();
    let mut found: Vec<Vec<(u32, u32)>> = vec![Vec::new(); test.hashes.len()];
    let indices: Vec<Buckets> = (0..BANDS).map(|band| Buckets::count(&known, band)).collect();
    let bucketed: u64 = (0..BANDS)
        .map(|band| test.hashes.iter().flatten().map(|hash| indices[band].size(hash)).sum::<u64>())
        .sum();
    if bucketed / 2 < known.len() as u64 * test.compared() as u64 {
        for mut buckets in indices {
            let order = buckets.sort(&known);
            found.par_iter_mut().zip(&test.hashes).for_each(|(found, hash)| {
                let Some(hash) = hash else { return };
                for &at in &order[buckets.range(hash)] {
                    offer(found, hash, known[at as usize]);
                }
            });
        }
    } else {
        found.par_iter_mut().zip(&test.hashes).for_each(|(found, hash)| {
            let Some(hash) = hash else { return };
            known.iter().for_each(|&known| offer(found, hash, known));
        });
    }
    found
}

/// Keeps the nearest; of equally near ones the first, whatever the order in which they come.
fn offer(found: &mut Vec<(u32, u32)>, hash: &Hash, (known, item): (Hash, u32)) {
    let far = distance(hash, &known);
    if far > DISTANCE {
        return;
    }
    let Err(at) = found.binary_search(&(far, item)) else { return };
    if at < LOOKED_AT {
        found.insert(at, (far, item));
        found.truncate(LOOKED_AT);
    }
}

/// Items by the value of one band.
struct Buckets {
    band: usize,
    /// Items with each value; after [`Buckets::sort`], where each value ends.
    counts: Vec<u32>,
}

impl Buckets {
    fn count(known: &[(Hash, u32)], band: usize) -> Self {
        let mut counts = vec![0; VALUES];
        known.iter().for_each(|(hash, _)| counts[value(hash, band)] += 1);
        Self { band, counts }
    }

    fn size(&self, hash: &Hash) -> u64 {
        self.counts[value(hash, self.band)].into()
    }

    /// Positions ordered by value.
    fn sort(&mut self, known: &[(Hash, u32)]) -> Vec<u32> {
        let mut next = 0;
        for count in &mut self.counts {
            let here = *count;
            *count = next;
            next += here;
        }
        let mut order = vec![0; known.len()];
        for ((hash, _), position) in known.iter().zip(0..) {
            let slot = &mut self.counts[value(hash, self.band)];
            order[*slot as usize] = position;
            *slot += 1;
        }
        order
    }

    fn range(&self, hash: &Hash) -> std::ops::Range<usize> {
        let value = value(hash, self.band);
        let start = value.checked_sub(1).map_or(0, |before| self.counts[before]);
        start as usize..self.counts[value] as usize
    }
}

fn value(hash: &Hash, band: usize) -> usize {
    (hash[band / 4] >> (band % 4 * 16)) as usize & (VALUES - 1)
}

/// Draws candidates and keeps the pairs that look alike: (train item, test item), in the order of test items.
pub(super) fn confirmed(
    train: &Examples,
    test: &Examples,
    candidates: &[Vec<(u32, u32)>],
) -> Result<Vec<(usize, usize)>, Error> {
    let picture = |examples: &Examples, item: usize| -> Result<Image, Error> {
        Ok(examples.items(item..item + 1)?[0].example.problem.observe(View::Crisp))
    };
    let one = |(item, candidates): (usize, &Vec<(u32, u32)>)| -> Result<Option<(usize, usize)>, Error> {
        if candidates.is_empty() {
            return Ok(None);
        }
        let ours = picture(test, item)?;
        for &(_, theirs) in candidates {
            if alike(&ours, &picture(train, theirs as usize)?) {
                return Ok(Some((theirs as usize, item)));
            }
        }
        Ok(None)
    };
    let found: Vec<Option<_>> = candidates.par_iter().enumerate().map(one).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{audit_examples, find, AuditOptions, Overlap, SplitDef};

    fn looks(hashes: &[Hash]) -> Looks {
        Looks { hashes: hashes.iter().copied().map(Some).collect() }
    }

    #[test]
    fn buckets_find_what_comparing_all_pairs_finds() {
        let mut rng = vrrl_harness_core::Seed(3).rng();
        let mut word = || rng.next_u64();
        let known: Vec<Hash> = (0..800).map(|_| [word(), word(), word(), word()]).collect();
        // Each test hash is a known one with up to 20 bits turned, in one place or spread.
        let asked: Vec<Hash> = (0..200u32)
            .map(|i| {
                let mut hash = known[(i * 3) as usize];
                (0..i % 21).for_each(|bit| {
                    let at = if i % 2 == 0 { bit } else { bit * 12 };
                    hash[at as usize / 64] ^= 1 << (at % 64);
                });
                hash
            })
            .collect();
        let all = |asked: &Hash| {
            let mut found: Vec<(u32, u32)> =
                known.iter().map(|known| distance(asked, known)).zip(0..).collect();
            found.retain(|&(far, _)| far <= DISTANCE);
            found.sort_unstable();
            found.truncate(LOOKED_AT);
            found
        };
        let expected: Vec<_> = asked.iter().map(all).collect();
        assert_eq!(candidates(&looks(&known), &looks(&asked)), expected);
        assert!(expected.iter().filter(|found| !found.is_empty()).count() > 140);
        // One bucket that holds everything: all pairs are compared instead.
        let crowd: Vec<Hash> = known.iter().map(|hash| hash.map(|word| word & 0x1000)).collect();
        let few = candidates(&looks(&crowd), &looks(&crowd[..5]));
        assert!(few.iter().all(|found| found.len() == LOOKED_AT && found[0].0 == 0));
    }

    #[test]
    fn the_same_scenes_in_noise_are_near_and_others_are_not() {
        let base = SplitDef { n: 40, ..find("ladder/maze/base").unwrap() };
        let noisy = SplitDef { n: 40, ..find("ladder/maze/noise_1").unwrap() };
        let draw = |def: &SplitDef| crate::Examples::draw(def).unwrap();
        let other = SplitDef { n: 40, ..find("quick/maze/id_test").unwrap() };
        let (base, noisy, other) = (draw(&base), draw(&noisy), draw(&other));
        let options = AuditOptions { shown: 3, near: true };
        let found = audit_examples(&[&base], &[&noisy, &other], &options).unwrap();
        let near = found.pairs.iter().map(|pair| pair.near.clone().unwrap()).collect::<Vec<_>>();
        assert_eq!((near[0].compared, near[0].test, near[0].beyond), (40, 40, 0), "{near:?}");
        assert!(near[1].test <= 1, "{near:?}");
        assert!(found.offenders.iter().any(|offender| offender.overlap == Overlap::Near));
    }
}
