//! The tags of the learning rate's range test.

/// The learning rate that the range test suggests.
pub const RATE_SUGGESTION: &str = "learning_rate/suggestion";
/// A tenth of the learning rate at which its loss diverges.
pub const RATE_TENTH: &str = "learning_rate/tenth_of_divergence";
/// The learning rate of the test after which its loss is least.
pub const RATE_LARGEST: &str = "learning_rate/largest_stable";
/// The largest stable learning rate of gradient descent.
pub const RATE_DESCENT_LIMIT: &str = "learning_rate/gradient_descent_limit";
/// The largest stable learning rate of the optimiser in use.
pub const RATE_OPTIMISER_LIMIT: &str = "learning_rate/optimiser_limit";
/// The range test in words.
pub const RATE_TEXT: &str = "learning_rate/test_result";
/// The picture of the range test.
pub const RATE_PICTURE: &str = "learning_rate/test";
/// Its numbers.
pub const RATE_DATA: &str = "learning_rate/test_data";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        RATE_SUGGESTION => {
            "Learning rate at which the smoothed loss of a range test from these weights falls fastest."
        }
        RATE_TENTH => "A tenth of the learning rate at which the loss of the range test diverges.",
        RATE_LARGEST => "Learning rate of the range test after which its loss is least.",
        RATE_DESCENT_LIMIT => {
            "2 / lambda_1 at these weights: above it gradient descent moves away along the sharpest direction."
        }
        RATE_OPTIMISER_LIMIT => {
            "Largest stable learning rate of the optimiser in use at these weights, from lambda_1."
        }
        RATE_PICTURE => "Loss against a learning rate that grows from step to step.",
        RATE_TEXT => "What the range test of the learning rate found.",
        _ => return None,
    };
    Some(fixed.to_owned())
}
