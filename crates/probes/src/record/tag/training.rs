//! The tags of what the training itself logs.

/// Returns one sentence about what stands under `tag`, if it is one of these.
pub(super) fn description(tag: &str) -> Option<String> {
    let fixed = match tag {
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
        _ => return None,
    };
    Some(fixed.to_owned())
}
