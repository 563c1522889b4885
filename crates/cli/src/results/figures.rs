//! The figures of one training in markdown.

use super::summary::{Figures, HessianNote};
use crate::report::number::{Number, plain_number, significant};

/// Returns the figures of one training as a markdown table, for TensorBoard.
pub(crate) fn markdown(figures: &Figures, hessian: &HessianNote) -> String {
    let parts = [
        ("training", figures.training_loss, figures.training_accuracy),
        (
            "validation",
            figures.validation_loss,
            figures.validation_accuracy,
        ),
        ("test", figures.test_loss, figures.test_accuracy),
    ];
    let mut losses = match figures.test_accuracy {
        Some(_) => "| data | mean loss | accuracy |\n|---|---|---|\n".to_owned(),
        None => "| data | mean loss |\n|---|---|\n".to_owned(),
    };
    for (part, loss, accuracy) in parts {
        losses += &format!("| {part} | {} |", digits(loss));
        losses += &accuracy.map_or_else(String::new, |accuracy| format!(" {} |", share(accuracy)));
        losses.push('\n');
    }
    losses.push('\n');
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
