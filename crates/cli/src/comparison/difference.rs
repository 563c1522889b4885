//! The difference of a figure between two groups of trainings, and whether it tells them apart.
//!
//! Groups with the same seeds are compared seed by seed: both trainings of a seed begin with the
//! same weights and see the same batches, so much of what a seed does drops out. Groups with other
//! seeds are two samples. To the interval over the seeds comes what the values themselves are
//! uncertain by: residuals of λ₁ and rounding of the sharpness are bounds and widen it, the
//! standard error of the trace is part of the spread already. With one seed there is no spread, and
//! only the errors of the two values are left to tell curvatures apart; of losses nothing can be
//! said.

use super::group::Group;
use super::measure::{Error, Measure, radius};
use super::statistics::{Interval, mean, paired, welch};

/// The test behind an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Seed by seed.
    Paired,
    /// From two samples with other seeds.
    Welch,
    /// From the errors of single values, because one side has one seed.
    OneSeed,
}

/// The reason why there is no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A value is not finite.
    NotMeasured,
    /// Products with the Hessian lie too close to a kink of the loss.
    InDoubt,
    /// The sharpness was measured with different radii.
    Radii,
}

/// The verdict on the second of two groups beside the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its figure is lower.
    Lower,
    /// Its figure is higher.
    Higher,
    /// The interval of the difference holds 0.
    NotToldApart,
}

/// Returns how differences between two groups are judged.
pub(crate) fn basis(a: &Group, b: &Group) -> Basis {
    if a.seeds.len() < 2 || b.seeds.len() < 2 {
        Basis::OneSeed
    } else if a.seeds == b.seeds {
        Basis::Paired
    } else {
        Basis::Welch
    }
}

/// Returns the difference b − a of the means with its interval; half its width is NaN where nothing
/// is known of it.
///
/// # Errors
/// The reason why the figures of the two cannot be compared.
pub(crate) fn difference(measure: Measure, a: &Group, b: &Group) -> Result<Interval, Unknown> {
    if measure.is_curvature() && (a.in_doubt || b.in_doubt) {
        return Err(Unknown::InDoubt);
    }
    let values = |group: &Group| -> Vec<f64> {
        let of = |figures| measure.of(figures);
        group.figures.iter().map(of).collect()
    };
    let (of_a, of_b) = (values(a), values(b));
    if of_a.iter().chain(&of_b).any(|value| !value.is_finite()) {
        return Err(Unknown::NotMeasured);
    }
    let mut radii = a.figures.iter().chain(&b.figures).map(radius);
    let first = radii.next();
    if measure == Measure::SamSharpness && radii.any(|radius| Some(radius) != first) {
        return Err(Unknown::Radii);
    }
    let interval = match basis(a, b) {
        Basis::Paired => paired(&of_a, &of_b),
        Basis::Welch => welch(&of_a, &of_b),
        Basis::OneSeed => None,
    };
    let own = own_errors(measure, a, b);
    Ok(match interval {
        Some(interval) => Interval {
            half_width: interval.half_width + own.bound,
            ..interval
        },
        None => Interval {
            difference: mean(&of_b) - mean(&of_a),
            half_width: own.alone,
        },
    })
}

/// Returns how `b` stands to `a`.
///
/// # Errors
/// As [`difference`].
pub(crate) fn standing(measure: Measure, a: &Group, b: &Group) -> Result<Standing, Unknown> {
    let interval = difference(measure, a, b)?;
    Ok(match interval.excludes_zero() {
        true if interval.difference < 0.0 => Standing::Lower,
        true => Standing::Higher,
        false => Standing::NotToldApart,
    })
}

/// The uncertainty of a difference of two means that does not come from seeds.
struct OwnErrors {
    /// At most this, in every case.
    bound: f64,
    /// Half a 95 % interval where there is no spread over seeds that would contain it; NaN where
    /// nothing is known.
    alone: f64,
}

fn own_errors(measure: Measure, a: &Group, b: &Group) -> OwnErrors {
    // The quantile of the normal distribution that leaves out 2.5 % on each side.
    const NORMAL: f64 = 1.96;
    let (mut bound, mut square, mut known) = (0.0, 0.0, true);
    for group in [a, b] {
        let n = group.figures.len() as f64;
        for figures in &group.figures {
            match measure.error(figures) {
                Error::OfTheSeed => known = false,
                Error::Bound(error) => bound += error / n,
                Error::Standard(error) => square += (error / n).powi(2),
            }
        }
    }
    OwnErrors {
        bound,
        alone: if known {
            bound + NORMAL * f64::sqrt(square)
        } else {
            f64::NAN
        },
    }
}
