//! Loops compiled for each instruction set, of which the processor's is chosen at run time.

use pulp::{Arch, Simd, WithSimd};

/// Does work with all that the processor has, if the closure is one that the compiler puts where it
/// is called: `vectorised(#[inline(always)] || ..)`. One that is handed to `Arch::dispatch` itself
/// is called through a function between, which stays code for the oldest processor.
#[inline(always)]
pub fn vectorised<R>(work: impl FnMut() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnMut() -> R> WithSimd for Work<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) -> R {
            (self.0)()
        }
    }
    Arch::new().dispatch(Work(work))
}
