//! The tags of the measures of sharpness.

/// SAM's sharpness.
pub const SAM_SHARPNESS: &str = "sharpness/sam";
/// SAM's sharpness in ASAM's ball.
pub const ASAM_SHARPNESS: &str = "sharpness/asam";
/// The average rise of the loss under Gaussian displacements.
pub const AVERAGE_SHARPNESS: &str = "sharpness/average";
/// The largest rise that projected ascent finds in an l2 ball.
pub const WORST_BALL_SHARPNESS: &str = "sharpness/worst_ball";
/// The largest rise that projected ascent finds in ASAM's ball.
pub const ASAM_WORST_BALL_SHARPNESS: &str = "sharpness/asam_worst_ball";
/// The average rise in units of the weights' own sizes.
pub const ADAPTIVE_AVERAGE_SHARPNESS: &str = "sharpness/average_adaptive";
/// The largest rise at random points of the sphere of that ball.
pub const RANDOM_BALL_SHARPNESS: &str = "sharpness/random_ball";
/// The flags and errors of the sharpness measures, as a table.
pub const SHARPNESS_TABLE: &str = "sharpness/measures";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        SAM_SHARPNESS => {
            "Rise of the loss one step of length rho up the gradient. Not invariant to rescaling of ReLU layers."
        }
        ASAM_SHARPNESS => {
            "Rise of the loss one step up the gradient in ASAM's ball, scaled by the weights. Not invariant to rescaling of ReLU layers, because biases are not scaled."
        }
        AVERAGE_SHARPNESS => {
            "Mean rise of the loss under Gaussian displacements of the weights (standard error under curvature_check). Not invariant to rescaling of ReLU layers."
        }
        WORST_BALL_SHARPNESS => {
            "Largest rise of the loss that projected ascent found in an l2 ball: a lower bound of the worst case. Not invariant to rescaling of ReLU layers."
        }
        ASAM_WORST_BALL_SHARPNESS => {
            "Largest rise of the loss that projected ascent found in ASAM's ball: a lower bound of the worst case."
        }
        ADAPTIVE_AVERAGE_SHARPNESS => {
            "Mean rise of the loss under Gaussian displacements in units of the weights' own sizes. Invariant to rescaling of ReLU layers."
        }
        RANDOM_BALL_SHARPNESS => {
            "Largest rise of the loss at random points of the ball's boundary: far below the worst case in many dimensions."
        }
        SHARPNESS_TABLE => {
            "Every measure of sharpness with its error, what it is (exact, estimate, lower bound), and whether rescaling ReLU layers changes it."
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}
