//! The tags of the activations and the weight matrices of layers.

/// Before what is known of activations; of one layer its name and a slash follow.
pub const ACTIVATION: &str = "activation/";
/// The share of units that are dead.
pub const DEAD_SHARE: &str = "activation/dead_share";
/// The share of units that are saturated.
pub const SATURATED_SHARE: &str = "activation/saturated_share";
/// The smallest standard deviation of a layer's activations.
pub const SMALLEST_STD: &str = "activation/smallest_std";
/// The largest one.
pub const LARGEST_STD: &str = "activation/largest_std";
/// The table of layers.
pub const ACTIVATION_LAYERS: &str = "activation/layers";
/// Before the layer and the quantity of a weight matrix.
pub const WEIGHTS: &str = "weights/";
/// The table of weight matrices.
pub const WEIGHT_SPECTRA: &str = "weights/spectra";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        DEAD_SHARE => {
            "Share of ReLU units that are exactly zero for all measured examples: no gradient reaches their weights."
        }
        SATURATED_SHARE => {
            "Share of tanh, sigmoid, GELU and SiLU units whose slope is below 1 % of the largest for more than 95 % of the measured entries."
        }
        SMALLEST_STD => {
            "Smallest standard deviation of a layer's activations: far below the largest, the signal vanishes on its way."
        }
        LARGEST_STD => {
            "Largest standard deviation of a layer's activations: far above that of the first layer, the signal explodes."
        }
        ACTIVATION_LAYERS => "Dead and saturated units and standard deviation, layer by layer.",
        WEIGHT_SPECTRA => {
            "Norm, stable rank and tail exponent of each weight matrix, without data."
        }
        _ => return of_a_layer(tag),
    };
    Some(fixed.to_owned())
}

/// Returns a sentence about a quantity of one layer.
fn of_a_layer(tag: &str) -> Option<String> {
    let split = |area| tag.strip_prefix(area)?.rsplit_once('/');
    if let Some((layer, quantity)) = split(ACTIVATION) {
        return Some(match quantity {
            "dead_share" => format!("Share of the units of {layer} that are dead."),
            "saturated_share" => format!("Share of the units of {layer} that are saturated."),
            "zero_share" => format!("Share of all activations of {layer} that are exactly zero."),
            "std" => format!("Standard deviation of the activations of {layer}."),
            _ => return None,
        });
    }
    if let Some((layer, quantity)) = split(WEIGHTS) {
        let layer = layer.replace('/', ".");
        return Some(match quantity {
            "alpha" => format!(
                "Exponent of the tail of the eigenvalues of WᵀW of {layer}; its error stands beside it."
            ),
            "alpha_error" => format!("Standard error of alpha of {layer}."),
            "alpha_tail" => format!(
                "Eigenvalues in the tail of {layer}: with fewer than 50, alpha is off by more than its error says."
            ),
            "stable_rank" => format!(
                "Squared Frobenius norm over squared spectral norm of {layer}: how many directions matter."
            ),
            "spectral_norm" => format!("Largest singular value of {layer}."),
            _ => return None,
        });
    }
    None
}
