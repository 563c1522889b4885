//! The values of a max pooling without their positions, for `flex`.

use std::ops::Range;

use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;

use crate::Windows;
use crate::real::{Real, contiguous, float, for_type};

/// Returns the maxima of the windows over the last two axes of `[A, B, H, W]`. A window with an
/// entry that is no number has none.
#[must_use]
pub fn maxima(x: &DispatchTensor, windows: &Windows, shape: &[usize]) -> Option<DispatchTensor> {
    let x = contiguous(x)?;
    for_type!(x, maxima_of(windows, shape))
}

fn maxima_of<E: Real>(
    x: &FlexTensor,
    windows: &Windows,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let are = |pair: [usize; 2], number| pair == [number, number];
    if are(windows.kernel, 2)
        && are(windows.stride, 2)
        && are(windows.dilation, 1)
        && are(windows.padding, 0)
        && windows.input == windows.output.map(|len| 2 * len)
    {
        return Some(float(in_pairs(E::entries(x)?, windows), shape));
    }
    // Once over the lines of a window, which stand side by side in memory, and once over its
    // columns.
    let (lines, columns) = (taps(windows, 0)?, taps(windows, 1)?);
    let entries = E::entries(x)?;
    let ([h, w], [ho, wo]) = (windows.input, windows.output);
    let mut values = vec![E::LOWEST; shape.iter().product()];
    let mut line = vec![E::LOWEST; w];
    for (plane, out) in entries
        .chunks_exact((h * w).max(1))
        .zip(values.chunks_exact_mut((ho * wo).max(1)))
    {
        for (y, out) in out.chunks_exact_mut(wo.max(1)).enumerate() {
            line.fill(E::LOWEST);
            for tap in lines.iter().filter(|tap| tap.inside.contains(&y)) {
                let from = tap.first + (y - tap.inside.start) * windows.stride[0];
                raise(&mut line, plane[from * w..][..w].iter());
            }
            for tap in &columns {
                let from = line[tap.first..].iter().step_by(windows.stride[1]);
                raise(&mut out[tap.inside.clone()], from);
            }
        }
    }
    Some(float(values, shape))
}

/// Returns the maxima of windows of 2 by 2 side by side, by far the most common.
fn in_pairs<E: Real>(entries: &[E], windows: &Windows) -> Vec<E> {
    let w = windows.input[1];
    let mut values = Vec::with_capacity(entries.len() / 4);
    for lines in entries.chunks_exact((2 * w).max(1)) {
        let (upper, lower) = lines.split_at(w);
        let pairs = upper
            .as_chunks::<2>()
            .0
            .iter()
            .zip(lower.as_chunks::<2>().0);
        values.extend(pairs.map(|(&[a, b], &[c, d])| larger(larger(a, b), larger(c, d))));
    }
    values
}

/// Returns the second, if it is larger or no number.
fn larger<E: Real>(x: E, y: E) -> E {
    if y > x || y.is_nan() { y } else { x }
}

/// One entry of a window along an axis.
struct Tap {
    /// The windows that have it inside the input.
    inside: Range<usize>,
    /// Its place in the first of them.
    first: usize,
}

/// Returns the entries of the windows along an axis; none if a window has no entry inside the
/// input.
fn taps(windows: &Windows, axis: usize) -> Option<Vec<Tap>> {
    let taps: Vec<Tap> = (0..windows.kernel[axis])
        .map(|offset| {
            let (start, end) = windows.inside(axis, offset);
            let at = start * windows.stride[axis] + offset * windows.dilation[axis];
            Tap {
                inside: start..end,
                first: at.saturating_sub(windows.padding[axis]),
            }
        })
        .filter(|tap| !tap.inside.is_empty())
        .collect();
    (0..windows.output[axis])
        .all(|window| taps.iter().any(|tap| tap.inside.contains(&window)))
        .then_some(taps)
}

/// Returns whether no window lies outside the input with all its entries.
pub(crate) fn every_window_has_an_entry(windows: &Windows) -> bool {
    (0..2).all(|axis| taps(windows, axis).is_some())
}

/// Makes each entry the larger of itself and the one beside it, or what is no number.
fn raise<'a, E: Real + 'a>(to: &mut [E], from: impl Iterator<Item = &'a E>) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = larger(*to, from);
    }
}
