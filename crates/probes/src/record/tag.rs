//! The tags of what probes record, and a sentence for each.
//!
//! A tag is `area/quantity`. Curves of the model stand in `loss`, `accuracy`, `gradient`,
//! `curvature`, `sharpness`, `stability`; what tells how good a number is in `curvature_check`;
//! what measuring takes in `cost`.

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
/// The mean loss over the examples that an analysis measured.
pub const ANALYSIS_LOSS: &str = "loss/analysis";
/// The summary of an analysis.
pub const ANALYSIS_SUMMARY: &str = "analysis/summary";
/// The verdict of an analysis on the point.
pub const VERDICT: &str = "analysis/verdict";
/// The sharpness suite of an analysis, every measure with its error.
pub const SHARPNESS_SUITE: &str = "analysis/sharpness_data";
/// Certain lower bound of the number of negative eigenvalues.
pub const NEGATIVE_EIGENVALUES: &str = "curvature/negative_at_least";
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
/// Before the number of a largest eigenvalue, from 1.
pub const LAMBDA: &str = "curvature/lambda_";
/// The largest eigenvalue.
pub const LAMBDA_1: &str = "curvature/lambda_1";
/// The smallest eigenvalue.
pub const LAMBDA_MIN: &str = "curvature/lambda_min";
/// The trace of the Hessian.
pub const TRACE: &str = "curvature/trace";
/// The picture of the spectral density.
pub const DENSITY_PICTURE: &str = "curvature/density_picture";
/// The numbers of the spectral density.
pub const DENSITY_DATA: &str = "curvature/density_data";
/// Before the name of an eigenvalue and `_residual`.
pub const CHECK: &str = "curvature_check/";
/// The standard error of the trace.
pub const TRACE_STANDARD_ERROR: &str = "curvature_check/trace_standard_error";
/// The largest eigenvalue less its residual, and the largest eigenvalue plus its residual.
pub const LAMBDA_1_BAND: [&str; 2] = [
    "curvature_check/lambda_1_lower",
    "curvature_check/lambda_1_upper",
];
/// The trace less two standard errors, and the trace plus two standard errors.
pub const TRACE_BAND: [&str; 2] = ["curvature_check/trace_lower", "curvature_check/trace_upper"];
/// Products with the Hessian at a step.
pub const PRODUCTS: &str = "curvature_check/products";
/// Products that may be wrong.
pub const UNRESOLVED: &str = "curvature_check/unresolved_products";
/// The way in which products are made.
pub const METHOD: &str = "curvature_check/method";
/// Examples that are measured, where they are fewer than were given.
pub const EXAMPLES: &str = "curvature_check/examples";
/// SAM's sharpness.
pub const SAM_SHARPNESS: &str = "sharpness/sam";
/// The curvature at which the optimiser loses its stability.
pub const STABILITY_THRESHOLD: &str = "stability/threshold";
/// The largest eigenvalue over that threshold.
pub const SHARPNESS_RATIO: &str = "stability/sharpness_ratio";
/// The error of that ratio.
pub const SHARPNESS_RATIO_ERROR: &str = "curvature_check/sharpness_ratio_error";
/// The largest eigenvalue as the optimiser meets it: preconditioned, with the L2 penalty.
pub const STABILITY_LAMBDA: &str = "stability/lambda_1";
/// The component of the gradient along that eigenvector.
pub const STABILITY_COMPONENT: &str = "stability/component";
/// The warning before a training diverges.
pub const STABILITY_WARNING: &str = "stability/warning";
/// Before the path of a layer, with `/` for its dots: the trace of its diagonal block.
pub const LAYER_TRACE: &str = "curvature/trace/";
/// Before the path of a layer, with `/` for its dots: the largest eigenvalue of its diagonal block.
pub const LAYER_LAMBDA: &str = "curvature/lambda_1/";
/// The spectral densities of all steps so far, as a picture.
pub const DENSITY_OVER_TIME: &str = "curvature/density_over_time";
/// Their numbers.
pub const DENSITY_OVER_TIME_DATA: &str = "curvature/density_over_time_data";
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
/// The loss with BatchNorm's batch statistics minus that with its running ones.
pub const BATCH_NORM_GAP: &str = "batch_norm/loss_gap";
/// The loss with the statistics of the batch.
pub const BATCH_NORM_BATCH_LOSS: &str = "batch_norm/batch_loss";
/// The loss with the running statistics.
pub const BATCH_NORM_RUNNING_LOSS: &str = "batch_norm/running_loss";
/// The same surface in space.
pub const SURFACE_MESH: &str = "landscape/surface_mesh";
/// Seconds spent in probes so far.
pub const PROBE_SECONDS: &str = "cost/probe_seconds";
/// The share of probes in the time so far.
pub const PROBE_FRACTION: &str = "cost/probe_fraction";
/// The account of each probe, at the end.
pub const ACCOUNT: &str = "cost/probes";
/// Probes that failed, were skipped or shortened, and warnings.
pub const NOTES: &str = "diagnosis/probes";
/// The diagnosis of the run.
pub const DIAGNOSIS: &str = "diagnosis/report";

/// Returns one sentence about what stands under `tag`, for whoever looks at it; `None` for a tag
/// that is not of this crate.
#[must_use]
pub fn description(tag: &str) -> Option<String> {
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
        LAMBDA_1 => {
            "Largest eigenvalue of the Hessian of the loss: the sharpest curvature. Its error is at most the residual under curvature_check."
        }
        LAMBDA_MIN => {
            "Smallest eigenvalue of the Hessian: clearly below zero, the loss falls in some direction."
        }
        TRACE => {
            "Sum of all eigenvalues of the Hessian (Hutchinson's estimate; standard error under curvature_check)."
        }
        DENSITY_PICTURE => {
            "How the eigenvalues of the Hessian are distributed (stochastic Lanczos quadrature)."
        }
        TRACE_STANDARD_ERROR => {
            "Standard error of the trace: the true value lies within twice of it, 19 times in 20."
        }
        PRODUCTS => {
            "Products with the Hessian that were made at this step: what the curvature cost."
        }
        UNRESOLVED => {
            "Products that may be wrong, because a kink of the loss lies too close. Zero where products are exact."
        }
        METHOD => {
            "How products with the Hessian are made: exact differentiation, or differences of gradients and why."
        }
        EXAMPLES => {
            "Examples over which curvature is measured: fewer than were given, to keep to the budget."
        }
        SAM_SHARPNESS => {
            "Rise of the loss one step of length rho up the gradient. Not invariant to rescaling of ReLU layers."
        }
        STABILITY_THRESHOLD => {
            "Largest curvature at which the optimiser is stable at the present learning rate; it grows as the rate falls."
        }
        SHARPNESS_RATIO => {
            "lambda_1 over the stability threshold: near 1 is the edge of stability, above it steps along the sharpest direction grow."
        }
        ANALYSIS_LOSS => "Mean loss over the examples that the analysis measured, dropout off.",
        ANALYSIS_SUMMARY => "What the analysis found, in ten lines.",
        VERDICT => "The kind of point that the weights stand at, and the evidence.",
        NEGATIVE_EIGENVALUES => {
            "Negative eigenvalues of the Hessian that are certain: a lower bound of the saddle's index."
        }
        SHARPNESS_RATIO_ERROR => {
            "Error of stability/sharpness_ratio: some eigenvalue's ratio lies at most this far from it."
        }
        STABILITY_LAMBDA => {
            "Largest curvature as the optimiser meets it: in the units of its preconditioner for Adam, AdamW and RMSprop, with an L2 penalty added."
        }
        STABILITY_COMPONENT => {
            "Size of the gradient along the sharpest direction: it grows from step to step where the ratio stays above 1."
        }
        STABILITY_WARNING => "A warning that the training is about to diverge, with its evidence.",
        DENSITY_OVER_TIME => {
            "How the distribution of the Hessian's eigenvalues changed: log density against step."
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
        TRAJECTORY_EXPLAINED_1 => {
            "Share of the squared distances to the last weights that lies along the first principal component of the path."
        }
        TRAJECTORY_EXPLAINED_2 => {
            "Share of the squared distances to the last weights that lies along the second principal component of the path."
        }
        RANDOM_BALL_SHARPNESS => {
            "Largest rise of the loss at random points of the ball's boundary: far below the worst case in many dimensions."
        }
        SHARPNESS_TABLE => {
            "Every measure of sharpness with its error, what it is (exact, estimate, lower bound), and whether rescaling ReLU layers changes it."
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
        LINE => "Loss along one direction through the weights.",
        SURFACE => {
            "Loss on the plane of two random, filter-normalised directions through the weights, which are at the centre."
        }
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
        BATCH_NORM_GAP => {
            "Mean loss with BatchNorm's statistics of the batch minus that with its running statistics: far below zero, the running ones do not describe the data."
        }
        BATCH_NORM_BATCH_LOSS => {
            "Mean loss over the measured examples with the statistics of each batch."
        }
        BATCH_NORM_RUNNING_LOSS => {
            "Mean loss over the measured examples with the running statistics."
        }
        SURFACE_MESH => {
            "The surface of landscape/surface in space: height and colour are the loss, on a logarithmic scale where it spans two decades. The contour picture has its numbers."
        }
        PROBE_SECONDS => "Seconds spent measuring so far.",
        PROBE_FRACTION => "Share of measuring in the time of the run so far, 0 to 1.",
        ACCOUNT => "What each probe measured, how often, and what it took.",
        DIAGNOSIS => {
            "What goes wrong in this training, how sure that is, what it means on the loss landscape, and what to try."
        }
        NOTES => "Probes that failed, were shortened or left out, and warnings.",
        "loss/train" => {
            "Training loss as the program logs it: of the batch of this step, before the update, unless it says otherwise."
        }
        "loss/valid" => "Mean loss over all validation examples.",
        "accuracy/valid" => "Share of validation examples whose largest output is their label.",
        "training/learning_rate" => "Learning rate of this step.",
        "sam/ascent_gain" => {
            "Rise of the batch loss from the weights to SAM's peak: the sharpness that SAM descends."
        }
        "sam/cosine" => {
            "Cosine between the gradient at the weights and at SAM's peak: 1 where SAM changes nothing."
        }
        "sam/gradient_norm" => "Norm of the batch's gradient at the weights.",
        "sam/rho" => "Radius of SAM's ascent at this step.",
        _ => "",
    };
    if !fixed.is_empty() {
        return Some(fixed.to_owned());
    }
    if let Some(path) = tag.strip_prefix(LAYER_TRACE) {
        return Some(format!(
            "Trace of the Hessian's diagonal block of {} (Hutchinson's estimate; standard error under curvature_check).",
            path.replace('/', ".")
        ));
    }
    if let Some(path) = tag.strip_prefix(LAYER_LAMBDA) {
        return Some(format!(
            "Largest eigenvalue of the Hessian's diagonal block of {}: the sharpest curvature if only this layer moves.",
            path.replace('/', ".")
        ));
    }
    if let Some(end) = LAMBDA_1_BAND.iter().position(|end| *end == tag) {
        let end = ["Lower", "Upper"][end];
        return Some(format!(
            "{end} end of lambda_1's error band: the value and its residual."
        ));
    }
    if let Some(end) = TRACE_BAND.iter().position(|end| *end == tag) {
        let end = ["Lower", "Upper"][end];
        return Some(format!(
            "{end} end of the trace's error band: the estimate and two standard errors."
        ));
    }
    if let Some(number) = tag.strip_prefix(LAMBDA) {
        return Some(format!(
            "Eigenvalue number {number} of the Hessian, by size."
        ));
    }
    if let Some(name) = tag
        .strip_prefix(CHECK)
        .and_then(|rest| rest.strip_suffix("_residual"))
    {
        return Some(format!(
            "Residual of {name}: some eigenvalue lies at most this far from the value shown under curvature."
        ));
    }
    if let Some(name) = tag
        .strip_prefix(CHECK)
        .and_then(|rest| rest.strip_suffix("_standard_error"))
    {
        return Some(format!("Standard error of {name}."));
    }
    if let Some(text) = of_a_layer(tag) {
        return Some(text);
    }
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
