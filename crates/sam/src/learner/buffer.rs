//! Counts and a learning rate in a buffer of a model. Burn's `RunningState` holds floats only, of
//! float32 or float64, so whole numbers are stored as digits in base 2²⁰ and an f64 as the sum of
//! three f32.

use crate::gradient::Carried;
use crate::state::State;

/// The length of the buffer.
pub(crate) const COUNT: usize = 8;

/// The base of the digits; each fits a float32 exactly.
const DIGIT: u64 = 1 << 20;

/// Returns the buffer of a state: steps and refused steps in two digits each, whether there is a
/// learning rate, and that rate in three parts. All of it survives a buffer of float32.
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

/// Returns the state of a buffer, without its vector, and the number of refused steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers that are not negative"
)]
pub(crate) fn decoded(numbers: [f64; COUNT]) -> (State, u64) {
    let [
        steps,
        more_steps,
        refused,
        more_refused,
        has_rate,
        first,
        second,
        third,
    ] = numbers;
    let count = |low: f64, high: f64| low as u64 + DIGIT * high as u64;
    let state = State {
        steps: count(steps, more_steps),
        learning_rate: (has_rate > 0.0).then_some(first + second + third),
        carried: Carried::default(),
    };
    (state, count(refused, more_refused))
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
                carried: Carried::default(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "the buffer's type")]
            let stored = encoded(&state, refused).map(|number| f64::from(number as f32));
            let (back, back_refused) = decoded(stored);
            assert_eq!(
                (back.steps, back_refused, back.learning_rate),
                (steps, refused, learning_rate)
            );
        }
    }
}
