//! A sum of multiples in one pass over memory, for `flex`.

use burn_dispatch::DispatchTensor;

/// $c + \sum_i s_i t_i$ for one or two terms, all shaped alike, and numbers $s_i$; with `relu`, what is
/// negative becomes zero.
#[cfg(feature = "flex")]
pub(crate) fn combine(
    base: &DispatchTensor,
    terms: &[DispatchTensor],
    factors: &[DispatchTensor],
    relu: bool,
    shape: &[usize],
) -> Option<DispatchTensor> {
    use super::flex::contiguous;
    use burn::tensor::DType;

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

#[cfg(feature = "flex")]
fn sum<E>(
    base: &burn_flex::FlexTensor,
    terms: &[burn_flex::FlexTensor],
    factors: &[burn_flex::FlexTensor],
    shape: &[usize],
    then: impl Fn(E) -> E,
) -> Option<DispatchTensor>
where
    E: super::flex::Real + std::ops::Add<Output = E> + std::ops::Mul<Output = E>,
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
    Some(super::flex::float(values, shape))
}

#[cfg(not(feature = "flex"))]
pub(crate) const fn combine(
    _: &DispatchTensor,
    _: &[DispatchTensor],
    _: &[DispatchTensor],
    _: bool,
    _: &[usize],
) -> Option<DispatchTensor> {
    None
}
