//! Several tests at once.

/// Holm's adjusted p values, in the order given (Scandinavian Journal of Statistics 6, 1979, 65-70): the chance
/// of any false rejection stays below the level, whatever the dependence. The i-th smallest of m is multiplied by
/// m − i + 1, and none is smaller than the ones before it.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (rank, at) in order(p).into_iter().enumerate() {
        largest = largest.max(p[at] * (p.len() - rank) as f64).min(1.0);
        adjusted[at] = largest;
    }
    adjusted
}

/// Benjamini and Hochberg's adjusted p values, in the order given (JRSS B 57, 1995, 289-300): the expected share
/// of false ones among the rejections stays below the level for independent (or positively dependent) tests. The
/// i-th smallest of m is multiplied by m / i, and none is larger than the ones behind it.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, at) in order(p).into_iter().enumerate().rev() {
        smallest = smallest.min(p[at] * p.len() as f64 / (rank + 1) as f64);
        adjusted[at] = smallest;
    }
    adjusted
}

fn order(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_and_one() {
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
        assert_eq!(holm(&[0.03]), [0.03]);
        assert_eq!(benjamini_hochberg(&[0.03]), [0.03]);
    }

    #[test]
    fn benjamini_and_hochberg_1995() {
        // Their section 3.2 (Neuhaus et al. 1992): at 0.05, four rejections by false discovery rate and three by
        // Holm's or Hochberg's family-wise control.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let rejected = |adjusted: Vec<f64>| adjusted.iter().filter(|p| **p <= 0.05).count();
        assert_eq!((rejected(holm(&p)), rejected(benjamini_hochberg(&p))), (3, 4));
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(holm(&[0.04, 0.01, 0.03]), [0.06, 0.03, 0.06]);
        assert_eq!(benjamini_hochberg(&[0.04, 0.01, 0.03]), [0.04, 0.03, 0.04]);
    }
}
