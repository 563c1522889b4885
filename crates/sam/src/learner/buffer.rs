//! What a method remembers beside its vector, as numbers that a buffer of a model holds.

use crate::State;
use crate::gradient::carried::Vectors;

/// How many numbers there are.
pub(crate) const COUNT: usize = 8;

/// What fits a float32 exactly.
const DIGIT: u64 = 1 << 20;

/// Steps and refused steps in two digits each, whether there is a learning rate, and that as a sum of
/// three float32: all of it survives a buffer of float32.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "digits that a float32 holds, and the parts of a number that it does"
)]
pub(crate) fn encoded(state: &State, refused: u64) -> [f64; COUNT] {
    let rate = state.learning_rate.unwrap_or(0.0);
    let first = f64::from(rate as f32);
    let second = f64::from((rate - first) as f32);
    let third = f64::from((rate - first - second) as f32);
    [
        (state.steps % DIGIT) as f64,
        (state.steps / DIGIT) as f64,
        (refused % DIGIT) as f64,
        (refused / DIGIT) as f64,
        f64::from(u8::from(state.learning_rate.is_some())),
        first,
        second,
        third,
    ]
}

/// The state, without its vector, and the refused steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers that are not negative"
)]
pub(crate) fn decoded(numbers: &[f64]) -> (State, u64) {
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0.0);
    let count = |index: usize| at(index) as u64 + DIGIT * at(index + 1) as u64;
    let state = State {
        steps: count(0),
        learning_rate: (at(4) > 0.0).then(|| at(5) + at(6) + at(7)),
        carried: Vectors::default(),
    };
    (state, count(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_learning_rate_survive_a_buffer_of_float32() {
        for (steps, refused, learning_rate) in [
            (0, 0, None),
            (7, 3, Some(0.1)),
            (1 << 33, 1 << 21, Some(1e-5 / 3.0)),
        ] {
            let state = State {
                steps,
                learning_rate,
                carried: Vectors::default(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "the buffer's type")]
            let stored = encoded(&state, refused).map(|number| f64::from(number as f32));
            let (back, back_refused) = decoded(&stored);
            assert_eq!(
                (back.steps, back_refused, back.learning_rate),
                (steps, refused, learning_rate)
            );
        }
    }
}
