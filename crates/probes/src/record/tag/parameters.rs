//! The tags of the size of the parameters and of their updates.

/// The norm of the parameters.
pub const PARAMETER_NORM: &str = "parameters/norm";
/// Their distance from the start.
pub const DISTANCE_FROM_START: &str = "parameters/distance_from_start";
/// The note that the start is not known.
pub const START: &str = "parameters/start";
/// The size of the update since the last observation.
pub const UPDATE_NORM: &str = "parameters/update_norm";
/// The same beside the parameters before it.
pub const RELATIVE_UPDATE: &str = "parameters/relative_update";
/// The number of steps in that update.
pub const UPDATE_STEPS: &str = "parameters/update_steps";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        PARAMETER_NORM => "Euclidean norm of all trained parameters together.",
        DISTANCE_FROM_START => {
            "Euclidean distance of all trained parameters from those before the first step."
        }
        START => "Why no distance from the start is recorded.",
        UPDATE_NORM => {
            "Euclidean norm of the change of all parameters since the last observation; the steps in between stand under parameters/update_steps."
        }
        RELATIVE_UPDATE => "That norm over the norm of the parameters at the last observation.",
        UPDATE_STEPS => "Steps since the last observation, over which the update was made.",
        _ => return of_a_layer(tag),
    };
    Some(fixed.to_owned())
}

/// Returns a sentence about a quantity of one layer.
fn of_a_layer(tag: &str) -> Option<String> {
    for (quantity, what) in [
        (PARAMETER_NORM, "Euclidean norm"),
        (DISTANCE_FROM_START, "Distance from the start"),
        (UPDATE_NORM, "Norm of the update since the last observation"),
        (RELATIVE_UPDATE, "Norm of the update over the norm before"),
    ] {
        if let Some(path) = tag
            .strip_prefix(quantity)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            return Some(format!("{what} of {}.", path.replace('/', ".")));
        }
    }
    None
}
