//! Tiles of a convolution: a few channels by two vectors of outputs, in registers.

use pulp::{Arch, Simd, WithSimd, bytemuck};

use super::padded::{Images, Padded, Place};
use crate::Windows;
use crate::lanes::Lanes;

/// Vectors of a tile.
const VECTORS: usize = 2;
/// Channels of a tile: with its entries of the images and a weight, its sums are what 16 vectors
/// hold.
const ROWS: usize = 6;
/// The same where there are 32 wide vectors.
const WIDE_ROWS: usize = 8;

/// A convolution that is added to others.
pub(super) struct Term<'a, E> {
    /// Weights in panels, each of a few output channels: input channel by window entry by output
    /// channel.
    pub(super) weights: Vec<E>,
    /// For each input channel and window entry, where it stands in an image, from the output on.
    pub(super) offsets: Vec<usize>,
    pub(super) x: Images<'a, E>,
}

/// Returns the offsets of a [`Term`].
pub(super) fn offsets(windows: &Windows, place: &Place, inputs: usize) -> Vec<usize> {
    let [lines, columns] = windows.kernel;
    let [down, right] = windows.dilation;
    let window = (0..lines)
        .flat_map(|line| (0..columns).map(move |column| (line, column)))
        .map(|(line, column)| line * down * place.width + column * right);
    let window: Vec<usize> = window.collect();
    (0..inputs)
        .flat_map(|input| {
            let start = input * place.plane;
            window.iter().map(move |offset| start + offset)
        })
        .collect()
}

/// Returns how many channels a tile has.
pub(super) fn rows<E: Lanes>() -> usize {
    struct Asked<E>(std::marker::PhantomData<E>);
    impl<E: Lanes> WithSimd for Asked<E> {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            if E::are_wide::<S>() { WIDE_ROWS } else { ROWS }
        }
    }
    Arch::new().dispatch(Asked::<E>(std::marker::PhantomData))
}

/// Returns the weights `[channels, inputs, taps]` in panels; with `back` of the transpose: weights
/// `[inputs, channels, taps]`, each window turned around.
pub(super) fn pack<E: Lanes>(
    weight: &[E],
    [channels, inputs, taps]: [usize; 3],
    back: bool,
) -> Vec<E> {
    let rows = rows::<E>();
    let mut packed = vec![E::default(); channels.div_ceil(rows) * inputs * taps * rows];
    for (panel, packed) in packed.chunks_exact_mut(inputs * taps * rows).enumerate() {
        for (entry, packed) in packed.chunks_exact_mut(rows).enumerate() {
            let (input, tap) = (entry / taps, entry % taps);
            for (row, packed) in packed.iter_mut().enumerate() {
                let channel = panel * rows + row;
                if channel < channels {
                    let place = if back {
                        (input * channels + channel) * taps + (taps - 1 - tap)
                    } else {
                        (channel * inputs + input) * taps + tap
                    };
                    *packed = weight[place];
                }
            }
        }
    }
    packed
}

/// A sum of convolutions, and the layout of their images.
#[derive(Clone, Copy)]
pub(super) struct Sum<'a, E> {
    pub(super) terms: &'a [Term<'a, E>],
    pub(super) windows: &'a Windows,
    pub(super) place: &'a Place,
}

/// The outputs of some panels of channels, from the panel `first` on: `[channels, N, Ho, Wo]`.
pub(super) struct Forward<'a, E> {
    pub(super) of: Sum<'a, E>,
    pub(super) first: usize,
    pub(super) result: &'a mut [E],
}

impl<E: Lanes> WithSimd for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if E::are_wide::<S>() {
            self.of_rows::<S, WIDE_ROWS>(simd);
        } else {
            self.of_rows::<S, ROWS>(simd);
        }
    }
}

impl<E: Lanes> Forward<'_, E> {
    #[inline(always)]
    fn of_rows<S: Simd, const M: usize>(self, simd: S) {
        let Place {
            images, width, run, ..
        } = *self.of.place;
        let [ho, wo] = self.of.windows.output;
        let per_channel = images * ho * wo;
        let tile = VECTORS * E::lanes::<S>();
        let reach = run.div_ceil(tile) * tile;
        let mut line = vec![E::default(); M * reach];
        // All channels of an image after each other: its entries stay in the cache.
        let room = |term: &Term<'_, E>| Padded::room(1, term.x.channels, self.of.place);
        let mut padded: Vec<Padded<E>> = self.of.terms.iter().map(room).collect();
        for image in 0..images {
            for (padded, term) in padded.iter_mut().zip(self.of.terms) {
                padded.copy(0, &term.x, image, self.of.windows, self.of.place);
            }
            let panels = self.result.chunks_mut(M * per_channel);
            for (panel, result) in panels.enumerate() {
                let rows = result.len() / per_channel;
                let at = self.first + panel;
                match rows {
                    1 | 2 => self.of.line::<S, M, 2>(simd, &padded, at, &mut line, reach),
                    3 | 4 => self.of.line::<S, M, 4>(simd, &padded, at, &mut line, reach),
                    _ => self.of.line::<S, M, M>(simd, &padded, at, &mut line, reach),
                }
                let channels = result.chunks_mut(per_channel).zip(line.chunks_exact(reach));
                for (result, line) in channels {
                    let result = &mut result[image * ho * wo..][..ho * wo];
                    for (result, line) in result.chunks_exact_mut(wo).zip(line.chunks(width)) {
                        result.copy_from_slice(&line[..wo]);
                    }
                }
            }
        }
    }
}

impl<E: Lanes> Sum<'_, E> {
    /// Computes an image of the first channels of a panel, one after the other.
    #[inline(always)]
    fn line<S: Simd, const M: usize, const K: usize>(
        &self,
        simd: S,
        padded: &[Padded<E>],
        panel: usize,
        line: &mut [E],
        reach: usize,
    ) {
        let tile = VECTORS * E::lanes::<S>();
        for at in (0..reach).step_by(tile) {
            let sums = self.tile::<S, M, K>(simd, padded, panel, at);
            for (sums, line) in sums.iter().zip(line.chunks_exact_mut(reach)) {
                line[at..][..tile].copy_from_slice(bytemuck::cast_slice(sums));
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize, const K: usize>(
        &self,
        simd: S,
        padded: &[Padded<E>],
        panel: usize,
        at: usize,
    ) -> [[E::Vector<S>; VECTORS]; K] {
        let lanes = E::lanes::<S>();
        let mut sums = [[E::splat(simd, E::default()); VECTORS]; K];
        for (term, padded) in self.terms.iter().zip(padded) {
            let size = term.offsets.len() * M;
            let (weights, _) = term.weights[panel * size..][..size].as_chunks::<M>();
            let images = &padded.entries[at..];
            for (weights, &offset) in weights.iter().zip(&term.offsets) {
                let x = &images[offset..][..VECTORS * lanes];
                let x = [E::load::<S>(x), E::load::<S>(&x[lanes..])];
                for (sums, &weight) in sums.iter_mut().zip(weights) {
                    let weight = E::splat(simd, weight);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = E::mul_add(simd, weight, x, *sum);
                    }
                }
            }
        }
        sums
    }
}
