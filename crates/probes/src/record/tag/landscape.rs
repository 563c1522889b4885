//! The tags of slices of the loss, of lines between models, and of the path of the training.

/// The path of the training on the plane of its principal components.
pub const TRAJECTORY_PLANE: &str = "trajectory/plane";
/// Its numbers.
pub const TRAJECTORY_PLANE_DATA: &str = "trajectory/plane_data";
/// The share of the squared distances that the first component explains.
pub const TRAJECTORY_EXPLAINED_1: &str = "trajectory/explained_1";
/// The share that the second one explains.
pub const TRAJECTORY_EXPLAINED_2: &str = "trajectory/explained_2";
/// The picture of the loss on the straight line from the first model of the run.
pub const FROM_START: &str = "landscape/interpolation_from_start";
/// Its numbers.
pub const FROM_START_DATA: &str = "landscape/interpolation_from_start_data";
/// The barrier on that line.
pub const FROM_START_BARRIER: &str = "landscape/barrier_from_start";
/// The picture of the loss on the straight line from the model observed before.
pub const FROM_LAST: &str = "landscape/interpolation_from_last";
/// Its numbers.
pub const FROM_LAST_DATA: &str = "landscape/interpolation_from_last_data";
/// The barrier on that line.
pub const FROM_LAST_BARRIER: &str = "landscape/barrier_from_last";
/// The picture of the loss along a line.
pub const LINE: &str = "landscape/line";
/// Its numbers.
pub const LINE_DATA: &str = "landscape/line_data";
/// The picture of the loss on a plane.
pub const SURFACE: &str = "landscape/surface";
/// Its numbers.
pub const SURFACE_DATA: &str = "landscape/surface_data";
/// The same surface in space.
pub const SURFACE_MESH: &str = "landscape/surface_mesh";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        TRAJECTORY_EXPLAINED_1 => {
            "Share of the squared distances to the last weights that lies along the first principal component of the path."
        }
        TRAJECTORY_EXPLAINED_2 => {
            "Share of the squared distances to the last weights that lies along the second principal component of the path."
        }
        TRAJECTORY_PLANE => {
            "Path of the training on the plane of its first two principal components, over the loss on that plane."
        }
        FROM_START => {
            "Loss on the straight line from the first weights of the run (0) to the present ones (1)."
        }
        FROM_LAST => {
            "Loss on the straight line from the weights observed before (0) to the present ones (1)."
        }
        FROM_START_BARRIER => {
            "Rise of the loss above the line between its ends, on the way from the first weights to the present ones; 0 is none."
        }
        FROM_LAST_BARRIER => {
            "Rise of the loss above the line between its ends, on the way from the weights observed before to the present ones; 0 is none."
        }
        LINE => "Loss along one direction through the weights.",
        SURFACE => {
            "Loss on the plane of two random, filter-normalised directions through the weights, which are at the centre."
        }
        SURFACE_MESH => {
            "The surface of landscape/surface in space: height and colour are the loss, on a logarithmic scale where it spans two decades. The contour picture has its numbers."
        }
        _ => return None,
    };
    Some(fixed.to_owned())
}
