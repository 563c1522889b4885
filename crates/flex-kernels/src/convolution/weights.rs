//! Tiles of the derivative by the weights: a few channels by a few window entries, a vector of
//! partial sums for each.

use pulp::{Simd, WithSimd, bytemuck};

use super::padded::{Images, Padded, Place, Spread};
use crate::Windows;
use crate::lanes::Lanes;

/// Entries of the outputs and the images of a tile that are to stay in a near cache: the more, the
/// fewer vectors of partial sums are added up.
const NEAR: usize = 1 << 14;

/// The derivatives by the weights of the channels from `first` on, `[channels, inputs, kh, kw]`.
pub(super) struct Weights<'a, E> {
    pub(super) outputs: Images<'a, E>,
    pub(super) x: Images<'a, E>,
    pub(super) windows: &'a Windows,
    pub(super) place: &'a Place,
    pub(super) first: usize,
    pub(super) result: &'a mut [E],
}

/// A few images of both.
#[derive(Clone, Copy)]
struct Few<'a, E> {
    spread: &'a Spread<E>,
    padded: &'a Padded<E>,
    count: usize,
}

impl<E: Lanes> WithSimd for Weights<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A tile of three by three, the entries of both and its partial sums, is what 16 vectors
        // hold.
        if E::are_wide::<S>() {
            self.of_rows::<S, 6>(simd);
        } else {
            self.of_rows::<S, 3>(simd);
        }
    }
}

impl<E: Lanes> Weights<'_, E> {
    #[inline(always)]
    fn of_rows<S: Simd, const R: usize>(mut self, simd: S) {
        let (place, windows) = (self.place, self.windows);
        let Place { images, run, .. } = *place;
        let some = (NEAR / ((R + 1) * run)).clamp(1, images.max(1));
        let [lines, columns] = windows.kernel;
        let inputs = self.x.channels;
        let channels = self.result.len() / (inputs * lines * columns);
        let length = run.next_multiple_of(E::lanes::<S>());
        let mut spread = Spread::room(some, channels, [R, length]);
        let mut padded = Padded::room(some, inputs, place);
        for from in (0..images).step_by(some) {
            let count = some.min(images - from);
            for at in 0..count {
                let range = self.first..self.first + channels;
                spread.copy(at, &self.outputs, range, from + at, place);
                padded.copy(at, &self.x, from + at, windows, place);
            }
            let few = Few {
                spread: &spread,
                padded: &padded,
                count,
            };
            for panel in 0..channels.div_ceil(R) {
                for input in 0..inputs {
                    for line in 0..lines {
                        let mut column = 0;
                        while column < columns {
                            let at = [panel, input, line, column];
                            column += match columns - column {
                                1 => self.add::<S, R, 1>(simd, at, few),
                                2 => self.add::<S, R, 2>(simd, at, few),
                                _ => self.add::<S, R, 3>(simd, at, few),
                            };
                        }
                    }
                }
            }
        }
    }

    /// Adds what some images give to so many window entries, and returns how many these are.
    #[inline(always)]
    fn add<S: Simd, const R: usize, const T: usize>(
        &mut self,
        simd: S,
        [panel, input, line, column]: [usize; 4],
        few: Few<'_, E>,
    ) -> usize {
        let Place {
            width, plane, run, ..
        } = *self.place;
        let Few {
            spread,
            padded,
            count,
        } = few;
        let [lines, columns] = self.windows.kernel;
        let [down, right] = self.windows.dilation;
        let vectors = run.div_ceil(E::lanes::<S>());
        let shift = line * down * width + column * right;
        let mut sums = [[E::splat(simd, E::default()); T]; R];
        for image in 0..count {
            let from = (panel * spread.images + image) * R * spread.length;
            let outputs = vectors_of::<E, S>(&spread.entries[from..], R * vectors);
            let start = image * padded.image + input * plane + shift;
            let x: [&[E::Vector<S>]; T] = std::array::from_fn(|tap| {
                vectors_of::<E, S>(&padded.entries[start + tap * right..], vectors)
            });
            // Slices of this length, which the compiler sees: no entry is checked.
            let outputs: [&[E::Vector<S>]; R] =
                std::array::from_fn(|row| &outputs[row * vectors..][..vectors]);
            for at in 0..vectors {
                let x = x.map(|x| x[at]);
                for (sums, outputs) in sums.iter_mut().zip(outputs) {
                    let output = outputs[at];
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = E::mul_add(simd, output, x, *sum);
                    }
                }
            }
        }
        let per_channel = self.x.channels * lines * columns;
        let entry = (input * lines + line) * columns + column;
        let channels = self.result[panel * R * per_channel..].chunks_mut(per_channel);
        for (result, sums) in channels.zip(sums) {
            for (to, sum) in result[entry..].iter_mut().zip(sums) {
                *to += E::sum(simd, sum);
            }
        }
        T
    }
}

/// Returns the first entries as so many vectors.
#[inline(always)]
fn vectors_of<E: Lanes, S: Simd>(entries: &[E], vectors: usize) -> &[E::Vector<S>] {
    let entries: &[E::Vector<S>] = bytemuck::cast_slice(&entries[..vectors * E::lanes::<S>()]);
    &entries[..vectors]
}
