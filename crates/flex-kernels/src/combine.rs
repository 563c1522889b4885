//! A sum of multiples in one pass over memory, for `flex`.

use burn::tensor::DType;
use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;

use crate::real::{Real, contiguous, float};

/// Returns `c + Σᵢ sᵢ tᵢ` for one or two terms, all shaped alike, and numbers `sᵢ`; with `relu`,
/// negative entries become zero.
#[must_use]
pub fn combine(
    base: &DispatchTensor,
    terms: &[DispatchTensor],
    factors: &[DispatchTensor],
    relu: bool,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let base = contiguous(base)?;
    let terms: Vec<_> = terms.iter().map(contiguous).collect::<Option<_>>()?;
    let factors: Vec<_> = factors.iter().map(contiguous).collect::<Option<_>>()?;
    match (base.dtype(), relu) {
        (DType::F32, false) => sum(&base, &terms, &factors, shape, |x: f32| x),
        (DType::F64, false) => sum(&base, &terms, &factors, shape, |x: f64| x),
        // What is no number stays so, as in Burn.
        (DType::F32, true) => sum(&base, &terms, &factors, shape, |x: f32| {
            if x > 0.0 || x.is_nan() { x } else { 0.0 }
        }),
        (DType::F64, true) => sum(&base, &terms, &factors, shape, |x: f64| {
            if x > 0.0 || x.is_nan() { x } else { 0.0 }
        }),
        _ => None,
    }
}

fn sum<E: Real>(
    base: &FlexTensor,
    terms: &[FlexTensor],
    factors: &[FlexTensor],
    shape: &[usize],
    then: impl Fn(E) -> E,
) -> Option<DispatchTensor> {
    let base = E::entries(base)?.iter();
    let number = |tensor| Some(*E::entries(tensor)?.first()?);
    // Not filled with zeros first: that would be another pass.
    let values: Vec<E> = match (terms, factors) {
        ([t], [s]) => {
            let s = number(s)?;
            base.zip(E::entries(t)?)
                .map(|(&c, &t)| then(c + s * t))
                .collect()
        }
        ([t, u], [s, r]) => {
            let (s, r) = (number(s)?, number(r)?);
            base.zip(E::entries(t)?)
                .zip(E::entries(u)?)
                .map(|((&c, &t), &u)| then(c + s * t + r * u))
                .collect()
        }
        _ => return None,
    };
    Some(float(values, shape))
}
