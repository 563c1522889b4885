//! Exponential smoothing, and where a smoothed course falls fastest.

/// The bias-corrected exponential mean of a series, `mₜ / (1 − βᵗ)` with
/// `mₜ = β mₜ₋₁ + (1 − β) lₜ`, up to its first value that is not finite.
pub(super) fn smoothed(losses: &[f64], beta: f64) -> Vec<f64> {
    let (mut mean, mut remains) = (0.0, 1.0);
    let finite = losses.iter().take_while(|loss| loss.is_finite());
    finite
        .map(|loss| {
            mean = beta * mean + (1.0 - beta) * loss;
            remains *= beta;
            mean / (1.0 - remains)
        })
        .collect()
}

/// Returns the steps by which the smoothed series is behind the series: the mean age of what it
/// averages, `Σ k βᵏ / Σ βᵏ` over the t values so far, `β / (1 − β) − t βᵗ / (1 − βᵗ)`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "numbers of steps"
)]
pub(super) fn delay(values: usize, beta: f64) -> f64 {
    let power = beta.powi(values as i32);
    if values == 0 || beta == 0.0 {
        return 0.0;
    }
    beta / (1.0 - beta) - values as f64 * power / (1.0 - power)
}

/// Returns the place of the least value; the first of them.
pub(super) fn least(values: &[f64]) -> Option<usize> {
    let places = 0..values.len();
    places.min_by(|a, b| values[*a].total_cmp(&values[*b]))
}

/// Returns the place, up to the least value, at which the values fall most from the place before
/// to the place after; none where they fall nowhere.
pub(super) fn steepest(values: &[f64]) -> Option<usize> {
    let end = least(values)?;
    let inner = 1..values.len().saturating_sub(1).min(end + 1);
    let slope = |place: usize| values[place + 1] - values[place - 1];
    let found = inner.min_by(|a, b| slope(*a).total_cmp(&slope(*b)))?;
    (slope(found) < 0.0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_stays_as_it_is_and_a_line_comes_late_by_the_delay() {
        for value in smoothed(&[3.0; 20], 0.9) {
            assert!((value - 3.0).abs() < 1e-14);
        }
        let line: Vec<f64> = (0..30).map(f64::from).collect();
        for (place, value) in smoothed(&line, 0.8).into_iter().enumerate() {
            let late = line[place] - value;
            assert!((late - delay(place + 1, 0.8)).abs() < 1e-12, "{place}");
        }
    }

    #[test]
    fn the_series_ends_before_what_is_not_finite() {
        assert_eq!(smoothed(&[1.0, f64::NAN, 1.0], 0.0), [1.0]);
        assert!(smoothed(&[f64::NAN], 0.5).is_empty());
    }

    #[test]
    fn the_steepest_place_is_before_the_least_value() {
        assert_eq!(steepest(&[5.0, 4.9, 3.0, 1.0, 0.9, 9.0, 0.95]), Some(2));
        assert_eq!(steepest(&[1.0, 2.0, 3.0]), None);
        assert_eq!(least(&[]), None);
    }
}
