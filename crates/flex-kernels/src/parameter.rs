//! Passes over one parameter of a model: an ascent, and the sums that it needs.
//!
//! The climb is that of Burn's operations to the last bit; the sums differ from theirs by the order
//! of their terms.

use burn::tensor::{DType, Tensor, TensorData};
use burn_flex::FlexTensor;
use pulp::{Arch, NullaryFnOnce};

use crate::Sums;
use crate::real::{Real, of_flex, on_flex};
use crate::sum::sum_of_terms;

/// Entries that are summed in their own type, before the sum goes on in float64.
const BLOCK: usize = 1 << 12;

/// Returns the sums of a gradient, for `T = |w| + η` where `scale` has w and η, with another
/// gradient if there is one.
#[must_use]
pub fn sums<const D: usize>(
    gradient: &Tensor<D>,
    scale: Option<(&Tensor<D>, f64)>,
    other: Option<&Tensor<D>>,
) -> Option<Sums> {
    let gradient = on_flex(gradient.clone().into_dispatch())?;
    let scale = match scale {
        Some((weight, eta)) => Some((on_flex(weight.clone().into_dispatch())?, eta)),
        None => None,
    };
    let other = match other {
        Some(other) => Some(on_flex(other.clone().into_dispatch())?),
        None => None,
    };
    match gradient.dtype() {
        DType::F32 => sums_of::<f32>(&gradient, scale.as_ref(), other.as_ref()),
        DType::F64 => sums_of::<f64>(&gradient, scale.as_ref(), other.as_ref()),
        _ => None,
    }
}

/// Returns `w + factor · T T g`, for `T = |w| + η`, or 1 without an η.
#[must_use]
pub fn climbed<const D: usize>(
    weight: &Tensor<D>,
    gradient: &Tensor<D>,
    factor: f64,
    eta: Option<f64>,
) -> Option<Tensor<D>> {
    let (weight, gradient) = (
        on_flex(weight.clone().into_dispatch())?,
        on_flex(gradient.clone().into_dispatch())?,
    );
    match weight.dtype() {
        DType::F32 => climbed_of::<f32, D>(&weight, &gradient, factor, eta),
        DType::F64 => climbed_of::<f64, D>(&weight, &gradient, factor, eta),
        _ => None,
    }
}

fn sums_of<E: Real>(
    gradient: &FlexTensor,
    scale: Option<&(FlexTensor, f64)>,
    other: Option<&FlexTensor>,
) -> Option<Sums> {
    let gradient = E::entries(gradient)?;
    let beside = |tensor| E::entries(tensor).filter(|entries| entries.len() == gradient.len());
    let scale = match scale {
        Some((weight, eta)) => Some((beside(weight)?, E::of(*eta))),
        None => None,
    };
    let other = match other {
        Some(other) => Some(beside(other)?),
        None => None,
    };
    Some(Arch::new().dispatch(SumsOf {
        gradient,
        scale,
        other,
    }))
}

struct SumsOf<'a, E> {
    gradient: &'a [E],
    scale: Option<(&'a [E], E)>,
    other: Option<&'a [E]>,
}

impl<E: Real> NullaryFnOnce for SumsOf<'_, E> {
    type Output = Sums;

    #[inline(always)]
    fn call(self) -> Sums {
        let mut sums = Sums::default();
        for (number, gradient) in self.gradient.chunks(BLOCK).enumerate() {
            let range = number * BLOCK..number * BLOCK + gradient.len();
            let plain = sum_of_terms(
                gradient,
                gradient,
                #[inline(always)]
                |g, _| g * g,
            );
            sums.plain += plain;
            sums.scaled += match self.scale {
                None => plain,
                Some((weight, eta)) => sum_of_terms(
                    gradient,
                    &weight[range.clone()],
                    #[inline(always)]
                    |g, w| {
                        let scaled = (w.abs() + eta) * g;
                        scaled * scaled
                    },
                ),
            };
            if let Some(other) = self.other {
                sums.dot += sum_of_terms(
                    gradient,
                    &other[range],
                    #[inline(always)]
                    |g, other| g * other,
                );
            }
        }
        sums
    }
}

fn climbed_of<E: Real, const D: usize>(
    weight: &FlexTensor,
    gradient: &FlexTensor,
    factor: f64,
    eta: Option<f64>,
) -> Option<Tensor<D>> {
    let shape = weight.layout().shape().clone();
    let (weight, gradient) = (E::entries(weight)?, E::entries(gradient)?);
    if weight.len() != gradient.len() {
        return None;
    }
    let values = Arch::new().dispatch(ClimbedOf {
        weight,
        gradient,
        factor: E::of(factor),
        eta: eta.map(E::of),
    });
    let tensor = FlexTensor::from_data(TensorData::new(values, shape));
    Some(Tensor::from_dispatch(of_flex(tensor)))
}

struct ClimbedOf<'a, E> {
    weight: &'a [E],
    gradient: &'a [E],
    factor: E,
    eta: Option<E>,
}

impl<E: Real> NullaryFnOnce for ClimbedOf<'_, E> {
    type Output = Vec<E>;

    #[inline(always)]
    fn call(self) -> Vec<E> {
        let factor = self.factor;
        let pairs = self.weight.iter().zip(self.gradient);
        match self.eta {
            None => pairs
                .map(
                    #[inline(always)]
                    |(&w, &g)| w + g * factor,
                )
                .collect(),
            Some(eta) => pairs
                .map(
                    #[inline(always)]
                    |(&w, &g)| {
                        let scale = w.abs() + eta;
                        w + scale * g * factor * scale
                    },
                )
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, FloatDType};
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// Around the lengths of a register, of what is summed side by side, and of a block.
    fn lengths() -> impl Strategy<Value = usize> {
        prop_oneof![0usize..70, BLOCK - 2..BLOCK + 3, 2 * BLOCK..2 * BLOCK + 100]
    }

    fn tensors(seed: u64, len: usize, dtype: DType) -> [Tensor<1>; 3] {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
        [(); 3].map(|()| {
            let values: Vec<f64> = (0..len)
                .map(|_| generator.random_range(-0.5..0.5))
                .collect();
            Tensor::from_data(TensorData::new(values, [len]), (&Device::flex(), dtype))
        })
    }

    fn host(tensor: &Tensor<1>) -> Vec<f64> {
        tensor.to_data().iter::<f64>().collect()
    }

    proptest! {
        #[test]
        fn sums_are_those_of_float64_on_the_host(
            seed: u64, len in lengths(), double: bool, eta in 0.0..1.0, scaled: bool, with_other: bool,
        ) {
            let dtype = if double { DType::F64 } else { DType::F32 };
            let [weight, gradient, other] = tensors(seed, len, dtype);
            let sums = sums(
                &gradient,
                scaled.then_some((&weight, eta)),
                with_other.then_some(&other),
            );
            let sums = sums.expect("contiguous, of one type, on flex");
            let (w, g, o) = (host(&weight), host(&gradient), host(&other));
            let plain: f64 = g.iter().map(|g| g * g).sum();
            let of_scaled = |(w, g): (&f64, &f64)| ((w.abs() + eta) * g).powi(2);
            let expected_scaled = if scaled { w.iter().zip(&g).map(of_scaled).sum() } else { plain };
            let dot: f64 = g.iter().zip(&o).map(|(g, o)| g * o).sum();
            let size: f64 = g.iter().zip(&o).map(|(g, o)| (g * o).abs()).sum();
            // Three roundings of a term, and of float32 up to 128 additions in each sum side by side.
            let rounding = if double { 1e-13 } else { 140.0 * f64::from(f32::EPSILON) / 2.0 };
            prop_assert!((sums.plain - plain).abs() <= rounding * plain);
            prop_assert!((sums.scaled - expected_scaled).abs() <= rounding * expected_scaled);
            let expected_dot = if with_other { dot } else { 0.0 };
            prop_assert!((sums.dot - expected_dot).abs() <= rounding * size);
        }

        #[test]
        fn climb_is_that_of_the_operations_to_the_last_bit(
            seed: u64, len in lengths(), double: bool, eta in 0.0..1.0, scaled: bool, factor in -3.0..3.0,
        ) {
            let dtype = if double { DType::F64 } else { DType::F32 };
            let [weight, gradient, _] = tensors(seed, len, dtype);
            let peak = climbed(&weight, &gradient, factor, scaled.then_some(eta));
            let scale = || weight.clone().abs().add_scalar(eta);
            let expected = weight.clone()
                + if scaled {
                    (scale() * gradient).mul_scalar(factor) * scale()
                } else {
                    gradient.mul_scalar(factor)
                };
            prop_assert_eq!(peak.expect("contiguous, of one type, on flex").to_data(), expected.to_data());
        }
    }

    #[test]
    fn entry_that_is_not_a_number_makes_the_sums_so_wherever_it_is() {
        for at in [0, 31, 32, 63, BLOCK - 1, BLOCK, BLOCK + 1] {
            let mut values = vec![1.0f32; BLOCK + 2];
            values[at] = f32::NAN;
            let gradient = Tensor::<1>::from_data(values.as_slice(), &Device::flex());
            let sums = sums(&gradient, None, Some(&gradient)).expect("on flex");
            assert!(sums.plain.is_nan() && sums.scaled.is_nan() && sums.dot.is_nan());
        }
    }

    #[test]
    fn tensors_that_are_no_plain_row_of_one_type_are_left_to_the_operations() {
        let device = Device::flex();
        let row = Tensor::<2>::ones([3, 4], &device);
        let turned = Tensor::<2>::ones([4, 3], &device).transpose();
        let double = row.clone().cast(FloatDType::F64);
        let short = Tensor::<2>::ones([3, 3], &device);
        let half = row.clone().cast(FloatDType::F16);
        for other in [&turned, &double, &short] {
            assert!(sums(&row, None, Some(other)).is_none());
            assert!(sums(&row, Some((other, 0.1)), None).is_none());
            assert!(climbed(&row, other, 0.1, None).is_none());
        }
        assert!(sums(&turned, None, None).is_none());
        assert!(sums(&half, None, None).is_none());
        assert!(climbed(&half, &half, 0.1, None).is_none());
        assert!(sums(&row, None, None).is_some());
    }

    #[test]
    fn part_of_a_tensor_is_read_where_it_begins() {
        let whole = Tensor::<1>::from_data([100.0, 1.0, 2.0, 100.0], &Device::flex());
        let sums = sums(&whole.narrow(0, 1, 2), None, None).expect("a plain row");
        assert_eq!(sums.plain, 5.0);
    }
}
