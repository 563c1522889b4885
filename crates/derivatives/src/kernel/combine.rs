//! A sum of multiples in one pass over memory, for `flex`.

use std::ops::{Add, Mul};

use burn::tensor::DType;
use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;

use super::flex::{Real, contiguous, float};

/// $c + \sum_i s_i t_i$ for one or two terms, all shaped alike, and numbers $s_i$; with `relu`, what is
/// negative becomes zero.
pub(crate) fn combine(
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

fn sum<E>(
    base: &FlexTensor,
    terms: &[FlexTensor],
    factors: &[FlexTensor],
    shape: &[usize],
    then: impl Fn(E) -> E,
) -> Option<DispatchTensor>
where
    E: Real + Add<Output = E> + Mul<Output = E>,
{
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
