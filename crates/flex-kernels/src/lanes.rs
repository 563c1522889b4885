//! The float types in vectors of the processor's.

use pulp::Simd;
use pulp::bytemuck::{self, Pod};

use crate::real::Real;

/// A float type in vectors of the processor's.
pub(crate) trait Lanes: Real + Pod + Send {
    type Vector<S: Simd>: Copy + Pod;
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// Returns `a b + c`.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// Returns the sum of the entries of a vector.
    fn sum<S: Simd>(simd: S, vector: Self::Vector<S>) -> Self;

    /// Returns how many entries a vector has.
    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Vector<S>>() / size_of::<Self>()
    }

    /// Returns the first entries as a vector.
    #[inline(always)]
    fn load<S: Simd>(from: &[Self]) -> Self::Vector<S> {
        bytemuck::pod_read_unaligned(bytemuck::cast_slice(&from[..Self::lanes::<S>()]))
    }

    /// Returns whether the processor has 32 vectors of 64 bytes, as with AVX-512; before it, it has
    /// 16 shorter ones.
    #[inline(always)]
    fn are_wide<S: Simd>() -> bool {
        size_of::<Self::Vector<S>>() == 64
    }
}

impl Lanes for f32 {
    type Vector<S: Simd> = S::f32s;
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: Self) -> S::f32s {
        simd.splat_f32s(x)
    }
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
    #[inline(always)]
    fn sum<S: Simd>(simd: S, vector: S::f32s) -> Self {
        simd.reduce_sum_f32s(vector)
    }
}

impl Lanes for f64 {
    type Vector<S: Simd> = S::f64s;
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: Self) -> S::f64s {
        simd.splat_f64s(x)
    }
    #[inline(always)]
    fn mul_add<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
    #[inline(always)]
    fn sum<S: Simd>(simd: S, vector: S::f64s) -> Self {
        simd.reduce_sum_f64s(vector)
    }
}

/// Copies a few entries, whose number the compiler does not know: it would call a function.
#[inline(always)]
pub(crate) fn copy<E: Lanes, S: Simd>(from: &[E], to: &mut [E]) {
    let lanes = E::lanes::<S>();
    for (from, to) in from.chunks(lanes).zip(to.chunks_mut(lanes)) {
        if from.len() == lanes && to.len() == lanes {
            let from: &[E::Vector<S>] = bytemuck::cast_slice(from);
            let to: &mut [E::Vector<S>] = bytemuck::cast_slice_mut(to);
            to[0] = from[0];
        } else {
            for (from, to) in from.iter().zip(to) {
                *to = *from;
            }
        }
    }
}
