//! The tags of the gradient, and of the gradients of single examples.

/// The norm of the gradient.
pub const GRADIENT_NORM: &str = "gradient/norm";
/// Before the path of a layer, with `/` for its dots: the norm of its part of the gradient.
pub const GRADIENT_LAYER: &str = "gradient/layer/";
/// Before the path of a parameter: the entries of its gradient.
pub const GRADIENT_VALUES: &str = "gradient/values/";
/// The trace of the covariance of example gradients over the squared norm of the gradient.
pub const NOISE_SCALE: &str = "gradient/noise_scale";
/// The same from unbiased estimates of both.
pub const NOISE_SCALE_UNBIASED: &str = "gradient/noise_scale_unbiased";
/// The mean signal-to-noise ratio of the gradient's coordinates.
pub const SIGNAL_TO_NOISE: &str = "gradient/signal_to_noise";
/// The norm test of a batch.
pub const NORM_TEST: &str = "gradient/norm_test";
/// The inner-product test of a batch.
pub const INNER_PRODUCT_TEST: &str = "gradient/inner_product_test";
/// The orthogonality test of a batch.
pub const ORTHOGONALITY_TEST: &str = "gradient/orthogonality_test";
/// The batch size coupled to the learning rate.
pub const CABS_BATCH_SIZE: &str = "gradient/cabs_batch_size";
/// The evidence-based criterion of early stopping.
pub const EARLY_STOPPING: &str = "gradient/early_stopping";
/// The norms of example gradients.
pub const EXAMPLE_NORMS: &str = "gradient/example_norms";
/// The entries of example gradients.
pub const EXAMPLE_VALUES: &str = "gradient/example_values";
/// The picture of the entries of example gradients beside the weights.
pub const VALUES_AND_WEIGHTS: &str = "gradient/values_and_weights";
/// Its numbers.
pub const VALUES_AND_WEIGHTS_DATA: &str = "gradient/values_and_weights_data";
/// Takeuchi's criterion from traces.
pub const TIC_TRACE: &str = "curvature/tic_trace";
/// Takeuchi's criterion from diagonals.
pub const TIC_DIAGONAL: &str = "curvature/tic_diagonal";

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
        GRADIENT_NORM => {
            "Euclidean norm of the gradient of the mean loss over the measured examples, all parameters together."
        }
        NOISE_SCALE => {
            "Variance of example gradients over the squared gradient: the batch size at which noise and gradient are equal. It rises as training goes on."
        }
        NOISE_SCALE_UNBIASED => {
            "The noise scale with the sample's own noise taken out of the squared gradient; missing where the sample is too small for it."
        }
        SIGNAL_TO_NOISE => {
            "Squared gradient over its variance across examples, mean over the parameters."
        }
        NORM_TEST => {
            "Error of a batch's gradient over the norm of the gradient. Below 0.9 or so a batch is large enough by this test."
        }
        INNER_PRODUCT_TEST => {
            "Spread of a batch's gradient along the gradient. Below 0.9 or so most batches point downhill."
        }
        ORTHOGONALITY_TEST => {
            "Spread of a batch's gradient across the gradient, over its norm. Below 5.84 a batch is large enough by this test."
        }
        CABS_BATCH_SIZE => {
            "Batch size that couples noise and learning rate: learning rate times variance over loss. For plain gradient descent."
        }
        EARLY_STOPPING => {
            "Above zero the gradient is no larger than chance makes it: going on fits the noise of these examples."
        }
        EXAMPLE_NORMS => "Norms of the gradients of single examples.",
        EXAMPLE_VALUES => "Entries of the gradients of single examples.",
        VALUES_AND_WEIGHTS => {
            "Entries of the gradients of single examples, counted by their size and by the value of their weight."
        }
        TIC_TRACE => {
            "Takeuchi's criterion, traces only. Near a minimum, over the number of training examples, it estimates the gap to unseen data."
        }
        TIC_DIAGONAL => {
            "Takeuchi's criterion, diagonals only. Near a minimum, over the number of training examples, it estimates the gap to unseen data."
        }
        _ => return of_a_layer(tag),
    };
    Some(fixed.to_owned())
}

/// Returns a sentence about a quantity of one layer.
fn of_a_layer(tag: &str) -> Option<String> {
    if let Some(layer) = tag.strip_prefix(GRADIENT_LAYER) {
        return Some(format!(
            "Norm of the gradient in the parameters of {}: their squares add up to that of the whole.",
            layer.replace('/', ".")
        ));
    }
    let path = tag.strip_prefix(GRADIENT_VALUES)?;
    Some(format!(
        "Entries of the gradient of {}.",
        path.replace('/', ".")
    ))
}
