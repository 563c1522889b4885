//! The figures of one training in markdown.

use super::summary::{Figures, HessianNote};
use crate::report::number::{Number, plain_number, significant};

/// The figures of one training as a markdown table, for TensorBoard.
pub(crate) fn markdown(figures: &Figures, hessian: &HessianNote) -> String {
    let pair = |loss, accuracy| format!("{} | {}", digits(loss), share(accuracy));
    let losses = format!(
        "| data | mean loss | accuracy |\n|---|---|---|\n| training | {} |\n| validation | {} |\n| test | {} |\n\n",
        pair(figures.training_loss, figures.training_accuracy),
        pair(figures.validation_loss, figures.validation_accuracy),
        pair(figures.test_loss, figures.test_accuracy),
    );
    let (Some(lambda), Some(trace), Some(sharpness)) =
        (figures.lambda_1, figures.trace, figures.sam_sharpness)
    else {
        return losses + "Curvature was not measured.";
    };
    let curvature = format!(
        "| curvature | value | its error |\n|---|---|---|\n| lambda_1 | {} | residual {} |\n| trace | {} | standard error {} |\n\
         | SAM sharpness, rho {} | {} | |\n\nOver {} training examples; Hessian products by {}; {} of them in doubt, close to a kink of the loss.",
        digits(lambda.value),
        short(lambda.residual),
        digits(trace.value),
        short(trace.standard_error),
        plain_number(sharpness.rho.0),
        digits(sharpness.value),
        hessian.examples,
        hessian.method,
        hessian.unresolved_products,
    );
    losses + &curvature
}

fn digits(number: Number) -> String {
    significant(number.0, 4)
}

fn short(number: Number) -> String {
    significant(number.0, 2)
}

fn share(number: Number) -> String {
    format!("{:.4}", number.0)
}
