//! Hashes of canonical forms, in columns, and looking them up.

use rayon::prelude::*;
use vrrl_harness_core::Canonical;

use super::Overlap;
use crate::space::fingerprint;

/// Fingerprints of many examples in their order: 52 bytes each.
#[derive(Default)]
pub(super) struct Prints {
    exact: Vec<u128>,
    symmetric: Vec<u128>,
    pattern: Vec<u128>,
    pub(super) size: Vec<u32>,
}

impl Prints {
    pub(super) fn of(forms: Vec<Canonical>) -> Self {
        let one = |Canonical { exact, symmetric, pattern, size }: Canonical| {
            let size = u32::try_from(size).unwrap_or(u32::MAX);
            ((fingerprint(&exact), fingerprint(&symmetric)), (fingerprint(&pattern), size))
        };
        let ((exact, symmetric), (pattern, size)) = forms.into_par_iter().map(one).unzip();
        Self { exact, symmetric, pattern, size }
    }

    pub(super) fn append(&mut self, mut more: Self) {
        self.exact.append(&mut more.exact);
        self.symmetric.append(&mut more.symmetric);
        self.pattern.append(&mut more.pattern);
        self.size.append(&mut more.size);
    }

    pub(super) fn len(&self) -> usize {
        self.size.len()
    }

    /// How many of some items are distinct up to symmetry.
    pub(super) fn distinct(&self, items: &[usize]) -> usize {
        let mut forms: Vec<u128> = items.iter().map(|&item| self.symmetric[item]).collect();
        forms.par_sort_unstable();
        forms.dedup();
        forms.len()
    }

    /// Ready to be looked up.
    pub(super) fn sort(self) -> Sorted {
        let order = |column: &[u128]| {
            let mut order: Vec<u32> = (0..column.len() as u32).collect();
            // Of equal forms the first item stands first.
            order.par_sort_unstable_by_key(|&item| (column[item as usize], item));
            order
        };
        let orders = [order(&self.exact), order(&self.symmetric), order(&self.pattern)];
        let mut sizes = self.size.clone();
        sizes.sort_unstable();
        Sorted { prints: self, orders, sizes }
    }

    fn column(&self, kind: usize) -> &[u128] {
        [&self.exact, &self.symmetric, &self.pattern][kind]
    }
}

/// Fingerprints with the order of each column: 68 bytes for each example.
pub(super) struct Sorted {
    prints: Prints,
    orders: [Vec<u32>; 3],
    sizes: Vec<u32>,
}

impl Sorted {
    pub(super) fn len(&self) -> usize {
        self.prints.len()
    }

    pub(super) fn of_size(&self, size: usize) -> usize {
        let below = |bound: usize| self.sizes.partition_point(|&of| (of as usize) < bound);
        below(size + 1) - below(size)
    }

    /// The first item with a form.
    fn find(&self, kind: usize, form: u128) -> Option<usize> {
        let (order, column) = (&self.orders[kind], self.prints.column(kind));
        let at = order.partition_point(|&item| column[item as usize] < form);
        let item = *order.get(at)? as usize;
        (column[item] == form).then_some(item)
    }

    /// How many of some items have an exact, a symmetric and a pattern form that is here.
    pub(super) fn hits(&self, other: &Prints, items: &[usize]) -> [usize; 3] {
        [0, 1, 2].map(|kind| {
            let column = other.column(kind);
            items.par_iter().filter(|&&item| self.find(kind, column[item]).is_some()).count()
        })
    }

    /// Whether an item has a symmetric form that is here.
    pub(super) fn symmetric(&self, other: &Prints, item: usize) -> bool {
        self.find(1, other.symmetric[item]).is_some()
    }

    /// Up to `shown` items of each kind of overlap, each item under its strongest: (overlap, item here, item there).
    pub(super) fn offenders(&self, other: &Prints, shown: usize) -> Vec<(Overlap, usize, usize)> {
        let kinds = [Overlap::Exact, Overlap::Symmetric, Overlap::SamePattern];
        let mut found: [Vec<(Overlap, usize, usize)>; 3] = Default::default();
        if shown == 0 {
            return Vec::new();
        }
        for item in 0..other.len() {
            for (kind, overlap) in kinds.into_iter().enumerate() {
                if let Some(here) = self.find(kind, other.column(kind)[item]) {
                    if found[kind].len() < shown {
                        found[kind].push((overlap, here, item));
                    }
                    break;
                }
            }
        }
        found.concat()
    }
}
