//! The figures by which trainings are compared, and how well one of them is known.

use crate::report::number::Number;
use crate::results::summary::Figures;

/// A figure of summary.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Mean loss over the training examples.
    TrainingLoss,
    /// Accuracy over the training examples.
    TrainingAccuracy,
    /// Mean loss over the validation examples.
    ValidationLoss,
    /// Accuracy over the validation examples.
    ValidationAccuracy,
    /// Mean loss over the test examples.
    TestLoss,
    /// Accuracy over the test examples.
    TestAccuracy,
    /// Largest eigenvalue of the Hessian.
    LambdaOne,
    /// Trace of the Hessian.
    Trace,
    /// L(w + ρ g / ‖g‖) − L(w).
    SamSharpness,
}

/// The error of one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Error {
    /// None that one run could know of: it differs between seeds.
    OfTheSeed,
    /// The value is at most this far off.
    Bound(f64),
    /// A standard error, independent from run to run.
    Standard(f64),
}

impl Measure {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Self; 9] = [
        Self::TrainingLoss,
        Self::TrainingAccuracy,
        Self::ValidationLoss,
        Self::ValidationAccuracy,
        Self::TestLoss,
        Self::TestAccuracy,
        Self::LambdaOne,
        Self::Trace,
        Self::SamSharpness,
    ];

    /// Returns those of runs with these figures: accuracies are none of runs without classes.
    pub(crate) fn of_runs<'a>(runs: impl Iterator<Item = &'a Figures> + Clone) -> Vec<Self> {
        let known = |measure: &Self| {
            !measure.is_accuracy() || runs.clone().any(|figures| !measure.is_absent(figures))
        };
        Self::ALL.into_iter().filter(known).collect()
    }

    /// Those of which less is flatter.
    pub(crate) const FLATNESS: [Self; 3] = [Self::LambdaOne, Self::Trace, Self::SamSharpness];

    /// Its name in a sentence.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TrainingLoss => "training loss",
            Self::TrainingAccuracy => "training accuracy",
            Self::ValidationLoss => "validation loss",
            Self::ValidationAccuracy => "validation accuracy",
            Self::TestLoss => "test loss",
            Self::TestAccuracy => "test accuracy",
            Self::LambdaOne => "lambda_1",
            Self::Trace => "trace",
            Self::SamSharpness => "SAM sharpness",
        }
    }

    /// Its name above a column.
    pub(crate) const fn short_name(self) -> &'static str {
        match self {
            Self::TrainingLoss => "train loss",
            Self::TrainingAccuracy => "train acc.",
            Self::ValidationLoss => "valid loss",
            Self::ValidationAccuracy => "valid acc.",
            Self::TestAccuracy => "test acc.",
            _ => self.name(),
        }
    }

    /// Its key in documents for machines.
    pub(crate) fn key(self) -> String {
        self.name().to_lowercase().replace(' ', "_")
    }

    /// Its value; NaN if it was not measured.
    pub(crate) fn of(self, figures: &Figures) -> f64 {
        match self {
            Self::TrainingLoss => figures.training_loss.0,
            Self::TrainingAccuracy => number(figures.training_accuracy),
            Self::ValidationLoss => figures.validation_loss.0,
            Self::ValidationAccuracy => number(figures.validation_accuracy),
            Self::TestLoss => figures.test_loss.0,
            Self::TestAccuracy => number(figures.test_accuracy),
            Self::LambdaOne => figures.lambda_1.map_or(f64::NAN, |lambda| lambda.value.0),
            Self::Trace => figures.trace.map_or(f64::NAN, |trace| trace.value.0),
            Self::SamSharpness => figures
                .sam_sharpness
                .map_or(f64::NAN, |sharpness| sharpness.value.0),
        }
    }

    /// Returns whether nobody asked for it.
    pub(crate) const fn is_absent(self, figures: &Figures) -> bool {
        match self {
            Self::TrainingAccuracy => figures.training_accuracy.is_none(),
            Self::ValidationAccuracy => figures.validation_accuracy.is_none(),
            Self::TestAccuracy => figures.test_accuracy.is_none(),
            Self::LambdaOne => figures.lambda_1.is_none(),
            Self::Trace => figures.trace.is_none(),
            Self::SamSharpness => figures.sam_sharpness.is_none(),
            _ => false,
        }
    }

    /// Returns how well that value is known.
    pub(crate) fn error(self, figures: &Figures) -> Error {
        match self {
            Self::LambdaOne => Error::Bound(residual(figures)),
            Self::Trace => Error::Standard(trace_error(figures)),
            // A difference of two losses, each rounded to f32 (2⁻²⁴ of it) when its batches are
            // summed up and when it is read.
            Self::SamSharpness => {
                let loss = figures.training_loss.0.abs() + self.of(figures).abs();
                Error::Bound(2f64.powi(-22) * loss)
            }
            _ => Error::OfTheSeed,
        }
    }

    /// Returns whether more of it is better.
    pub(crate) const fn is_accuracy(self) -> bool {
        matches!(
            self,
            Self::TrainingAccuracy | Self::ValidationAccuracy | Self::TestAccuracy
        )
    }

    /// Returns whether it comes from products with the Hessian.
    pub(crate) const fn is_curvature(self) -> bool {
        matches!(self, Self::LambdaOne | Self::Trace)
    }
}

/// Returns a number that not every run has; NaN for a run without it.
fn number(figure: Option<Number>) -> f64 {
    figure.map_or(f64::NAN, |Number(value)| value)
}

/// Returns the residual of λ₁; NaN if it was not measured.
pub(crate) fn residual(figures: &Figures) -> f64 {
    figures
        .lambda_1
        .map_or(f64::NAN, |lambda| lambda.residual.0)
}

/// Returns the standard error of the trace; NaN if it was not measured.
pub(crate) fn trace_error(figures: &Figures) -> f64 {
    figures
        .trace
        .map_or(f64::NAN, |trace| trace.standard_error.0)
}

/// Returns the radius of the SAM sharpness, if it was measured.
pub(crate) fn radius(figures: &Figures) -> Option<f64> {
    figures.sam_sharpness.map(|sharpness| sharpness.rho.0)
}
