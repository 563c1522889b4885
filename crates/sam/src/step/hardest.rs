//! The examples that the second pass of ESAM descends on.

/// Returns the indices of the largest rises, this part of all and one at least, in rising order. Of
/// equal rises the first are taken.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a number of examples"
)]
pub(crate) fn hardest(rises: &[f64], part: f64) -> Vec<usize> {
    // The float closest to 0.29 is below it, but 0.29 of a hundred examples must be 29.
    let wanted = rises.len() as f64 * part * (1.0 + 2.0 * f64::EPSILON);
    let count = (wanted as usize).clamp(1, rises.len().max(1));
    let mut order: Vec<usize> = (0..rises.len()).collect();
    order.sort_by(|&a, &b| rises[b].total_cmp(&rises[a]));
    order.truncate(count);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_rises_are_chosen_and_of_equal_ones_the_first() {
        let rises = [0.1, 0.5, -0.2, 0.5, 0.5];
        assert_eq!(hardest(&rises, 0.4), [1, 3]);
        assert_eq!(hardest(&rises, 0.8), [0, 1, 3, 4]);
        assert_eq!(hardest(&rises, 0.01), [1]);
        assert_eq!(hardest(&[0.0; 100], 0.29).len(), 29);
    }
}
