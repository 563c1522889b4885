//! Kernels over windows for `flex`: patches, their transpose, and the maxima of a pooling.

use std::ops::Range;

use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::Windows;
use crate::maxima::every_window_has_an_entry;
use crate::real::{Real, contiguous, float, for_type, int};
use crate::vectorised;

/// Returns `[C, N, H, W]` to `[C kh kw, N Ho Wo]`.
#[must_use]
pub fn patches(x: &DispatchTensor, windows: &Windows, shape: &[usize]) -> Option<DispatchTensor> {
    let x = contiguous(x)?;
    for_type!(x, patches_of(windows, shape))
}

/// One entry of all windows, for the outputs at which it is inside the input.
struct Tap {
    offset: [usize; 2],
    lines: Range<usize>,
    columns: Range<usize>,
}

impl Windows {
    /// Returns the entry with this number, unless it is always outside.
    fn tap(&self, number: usize) -> Option<Tap> {
        let offset = [number / self.kernel[1], number % self.kernel[1]];
        let (lines, columns) = (self.inside(0, offset[0]), self.inside(1, offset[1]));
        (columns.0 < columns.1).then_some(Tap {
            offset,
            lines: lines.0..lines.1,
            columns: columns.0..columns.1,
        })
    }

    /// Returns where the input's entry is for a line of outputs and the first of the columns.
    fn start(&self, tap: &Tap, line: usize) -> usize {
        let along = |axis: usize, output: usize| {
            output * self.stride[axis] + tap.offset[axis] * self.dilation[axis] - self.padding[axis]
        };
        along(0, line) * self.input[1] + along(1, tap.columns.start)
    }

    /// Returns where there are as many outputs as inputs, an entry of all windows is the plane
    /// itself, shifted: the range of the inputs and that of the outputs, and which of the latter
    /// came from a neighbouring line, in each line from the start of the range on.
    fn shifted(&self, tap: &Tap) -> Option<(Range<usize>, Range<usize>, Range<usize>)> {
        if self.stride != [1, 1] || self.input != self.output || tap.lines.is_empty() {
            return None;
        }
        let w = self.input[1];
        let from = tap.lines.start * w + tap.columns.start;
        let to = (tap.lines.end - 1) * w + tap.columns.end;
        let forward = tap.offset[0] * self.dilation[0] * w + tap.offset[1] * self.dilation[1];
        let back = self.padding[0] * w + self.padding[1];
        let moved = |at: usize| (at + forward).checked_sub(back);
        Some((moved(from)?..moved(to)?, from..to, tap.columns.len()..w))
    }

    /// Returns whether no window hangs over an edge.
    fn are_inside(&self) -> bool {
        self.padding == [0, 0]
            && (0..2).all(|axis| {
                let last = self.output[axis].saturating_sub(1) * self.stride[axis];
                last + (self.kernel[axis] - 1) * self.dilation[axis] < self.input[axis]
            })
            && u32::try_from(self.input[0] * self.input[1]).is_ok()
    }
}

/// Sets the entries `gaps` of each line of `w` to zero.
fn clear<E: Real>(entries: &mut [E], w: usize, gaps: &Range<usize>) {
    if gaps.is_empty() {
        return;
    }
    for line in entries.chunks_mut(w) {
        // The last line ends where its gap begins.
        if let Some(gap) = line.get_mut(gaps.clone()) {
            gap.fill(E::default());
        }
    }
}

fn patches_of<E: Real>(
    x: &FlexTensor,
    windows: &Windows,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let entries = E::entries(x)?;
    let ([h, w], [ho, wo]) = (windows.input, windows.output);
    let (row, taps) = (shape[1], windows.kernel[0] * windows.kernel[1]);
    let images = row / (ho * wo).max(1);
    let mut values = vec![E::default(); shape[0] * row];
    values
        .par_chunks_mut(row.max(1))
        .enumerate()
        .for_each(|(index, out)| {
            let (channel, tap) = (index / taps, index % taps);
            let Some(tap) = windows.tap(tap) else {
                return;
            };
            if let Some((from, to, gaps)) = windows.shifted(&tap) {
                for image in 0..images {
                    let plane = &entries[(channel * images + image) * h * w..][..h * w];
                    let out = &mut out[image * h * w..][..h * w];
                    out[to.clone()].copy_from_slice(&plane[from.clone()]);
                    clear(&mut out[to.clone()], w, &gaps);
                }
                return;
            }
            let stride = windows.stride[1];
            for image in 0..images {
                let plane = &entries[(channel * images + image) * h * w..][..h * w];
                for y in tap.lines.clone() {
                    let source = &plane[windows.start(&tap, y)..];
                    let target = &mut out[(image * ho + y) * wo..][tap.columns.clone()];
                    if stride == 1 {
                        target.copy_from_slice(&source[..target.len()]);
                    } else {
                        for (to, from) in target.iter_mut().zip(source.iter().step_by(stride)) {
                            *to = *from;
                        }
                    }
                }
            }
        });
    Some(float(values, shape))
}

/// Returns the transpose of [`patches`]: `[C kh kw, N Ho Wo]` summed into `[C, N, H, W]`.
#[must_use]
pub fn unpatches(p: &DispatchTensor, windows: &Windows, shape: &[usize]) -> Option<DispatchTensor> {
    let p = contiguous(p)?;
    for_type!(p, unpatches_of(windows, shape))
}

fn unpatches_of<E: Real>(
    p: &FlexTensor,
    windows: &Windows,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let entries = E::entries(p)?;
    let ([h, w], [ho, wo]) = (windows.input, windows.output);
    let images = shape[1];
    let (row, taps) = (images * ho * wo, windows.kernel[0] * windows.kernel[1]);
    let mut values = vec![E::default(); shape[0] * images * h * w];
    values
        .par_chunks_mut((h * w).max(1))
        .enumerate()
        .for_each(|(index, plane)| {
            let (channel, image) = (index / images, index % images);
            let mut part = Vec::new();
            for number in 0..taps {
                let Some(tap) = windows.tap(number) else {
                    continue;
                };
                let of_tap = &entries[(channel * taps + number) * row..][..row];
                if let Some((to, from, gaps)) = windows.shifted(&tap) {
                    let whole = &of_tap[image * h * w..][..h * w];
                    part.clear();
                    part.extend_from_slice(&whole[from]);
                    clear(&mut part, w, &gaps);
                    for (to, from) in plane[to].iter_mut().zip(&part) {
                        *to += *from;
                    }
                    continue;
                }
                let stride = windows.stride[1];
                for y in tap.lines.clone() {
                    let source = &of_tap[(image * ho + y) * wo..][tap.columns.clone()];
                    let target = &mut plane[windows.start(&tap, y)..];
                    if stride == 1 {
                        for (to, from) in target.iter_mut().zip(source) {
                            *to += *from;
                        }
                    } else {
                        for (to, from) in target.iter_mut().step_by(stride).zip(source) {
                            *to += *from;
                        }
                    }
                }
            }
        });
    Some(float(values, shape))
}

/// Returns positions in the plane of the first maximum of each window of `[A, B, H, W]`.
#[must_use]
pub fn max_positions(
    x: &DispatchTensor,
    windows: &Windows,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let x = contiguous(x)?;
    for_type!(x, max_positions_of(windows, shape))
}

fn max_positions_of<E: Real>(
    x: &FlexTensor,
    windows: &Windows,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let entries = E::entries(x)?;
    let ([h, w], [ho, wo]) = (windows.input, windows.output);
    let mut positions = vec![0_i64; shape.iter().product()];
    if windows.are_inside() {
        let lines = || (vec![E::default(); wo], vec![0_u32; wo]);
        positions
            .par_chunks_mut((ho * wo).max(1))
            .enumerate()
            .for_each_init(lines, |(best, taps), (index, out)| {
                let plane = &entries[index * h * w..][..h * w];
                vectorised(
                    #[inline(always)]
                    || inside_positions(plane, windows, best, taps, out),
                );
            });
        return Some(int(positions, shape));
    }
    if !every_window_has_an_entry(windows) {
        return None;
    }
    positions
        .par_chunks_mut((ho * wo).max(1))
        .enumerate()
        .for_each(|(index, out)| {
            let plane = &entries[index * h * w..][..h * w];
            for (at, position) in out.iter_mut().enumerate() {
                let corner = [(at / wo) * windows.stride[0], (at % wo) * windows.stride[1]];
                let mut best = E::LOWEST;
                let mut found = None;
                for a in 0..windows.kernel[0] {
                    let y = corner[0] + a * windows.dilation[0];
                    if y < windows.padding[0] || y >= h + windows.padding[0] {
                        continue;
                    }
                    let line = (y - windows.padding[0]) * w;
                    for b in 0..windows.kernel[1] {
                        let x = corner[1] + b * windows.dilation[1];
                        if x < windows.padding[1] || x >= w + windows.padding[1] {
                            continue;
                        }
                        let entry = line + x - windows.padding[1];
                        let value = plane[entry];
                        // A value that is no number is its own maximum, as in Burn.
                        if found.is_none() || value > best || value.is_nan() {
                            best = value;
                            found = Some(entry);
                        }
                    }
                }
                let found = found.expect("every window has an entry inside the input");
                *position = i64::try_from(found).expect("no tensor has 2^63 entries");
            }
        });
    Some(int(positions, shape))
}

/// Returns the positions in one plane whose windows are all inside it: a line of windows at a time,
/// one entry of each after the other.
#[inline(always)]
fn inside_positions<E: Real>(
    plane: &[E],
    windows: &Windows,
    best: &mut [E],
    taps: &mut [u32],
    out: &mut [i64],
) {
    let (w, wo) = (windows.input[1], windows.output[1]);
    let stride = windows.stride[1];
    for (y, out) in out.chunks_mut(wo.max(1)).enumerate() {
        let corner = y * windows.stride[0] * w;
        for tap in 0..windows.kernel[0] * windows.kernel[1] {
            let (a, b) = (tap / windows.kernel[1], tap % windows.kernel[1]);
            let offset = a * windows.dilation[0] * w + b * windows.dilation[1];
            let line = plane[corner + offset..].iter().step_by(stride);
            let number =
                u32::try_from(offset).expect("`are_inside` has found positions of 32 bits");
            for ((&value, best), found) in line.zip(best.iter_mut()).zip(taps.iter_mut()) {
                // The first, unless a later one is larger or no number, as in Burn.
                let better = tap == 0 || value > *best || value.is_nan();
                *best = if better { value } else { *best };
                *found = if better { number } else { *found };
            }
        }
        for (x, (out, &tap)) in out.iter_mut().zip(taps.iter()).enumerate() {
            let first = corner + x * stride;
            let first = i64::try_from(first).expect("no tensor has 2^63 entries");
            *out = first + i64::from(tap);
        }
    }
}
