//! Images with a margin of zeros, and outputs at the places of their windows.

use crate::Windows;
use crate::lanes::Lanes;

/// Entries of a line of the cache, of the shortest type.
const LINE: usize = 16;
/// Entries that a tile may read behind what it needs, at most.
const TAIL: usize = 32;

/// The layout of padded images and of their outputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) images: usize,
    /// Entries of a row.
    pub(super) width: usize,
    /// Entries of an image of one channel: an odd number of lines of the cache, so that the same
    /// place of several channels is not always kept in the same place of the cache.
    pub(super) plane: usize,
    /// Outputs of an image, those between its rows too.
    pub(super) run: usize,
}

impl Place {
    pub(super) const fn of(windows: &Windows, images: usize) -> Self {
        let height = windows.input[0] + 2 * windows.padding[0];
        let width = windows.input[1] + 2 * windows.padding[1];
        let run = (windows.output[0] - 1) * width + windows.output[1];
        Self {
            images,
            width,
            plane: ((height * width).div_ceil(LINE) | 1) * LINE,
            run,
        }
    }
}

/// Images `[C, N, H, W]`, of which a few are copied at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Images<'a, E> {
    pub(super) entries: &'a [E],
    pub(super) channels: usize,
    /// Height and width.
    pub(super) size: [usize; 2],
}

impl<'a, E: Lanes> Images<'a, E> {
    pub(super) fn new(entries: &'a [E], images: usize, size: [usize; 2]) -> Self {
        Self {
            entries,
            channels: entries.len() / (images * size[0] * size[1]).max(1),
            size,
        }
    }

    /// Copies the rows of a channel of an image to rows of so many entries.
    #[inline(always)]
    fn copy(&self, [channel, image]: [usize; 2], place: &Place, to: &mut [E]) {
        let [h, w] = self.size;
        let from = &self.entries[(channel * place.images + image) * h * w..][..h * w];
        for (to, from) in to.chunks_mut(place.width).zip(from.chunks_exact(w)) {
            to[..w].copy_from_slice(from);
        }
    }
}

/// A few images with a margin of zeros, `[images, C, plane]`, and zeros behind them, where a tile
/// may read.
pub(super) struct Padded<E> {
    pub(super) entries: Vec<E>,
    /// Entries of an image.
    pub(super) image: usize,
}

impl<E: Lanes> Padded<E> {
    /// Returns room for so many images.
    pub(super) fn room(images: usize, channels: usize, place: &Place) -> Self {
        let image = channels * place.plane;
        Self {
            entries: vec![E::default(); images * image + TAIL],
            image,
        }
    }

    /// Copies an image to the place `at`; the margin stays.
    #[inline(always)]
    pub(super) fn copy(
        &mut self,
        at: usize,
        x: &Images<'_, E>,
        image: usize,
        windows: &Windows,
        place: &Place,
    ) {
        let corner = windows.padding[0] * place.width + windows.padding[1];
        let padded = &mut self.entries[at * self.image..][..self.image];
        for (channel, padded) in padded.chunks_exact_mut(place.plane).enumerate() {
            x.copy([channel, image], place, &mut padded[corner..]);
        }
    }
}

/// Outputs of a few images, `[panels, images, rows, length]`: each at its number, zeros at the
/// others and in channels that there are not.
pub(super) struct Spread<E> {
    pub(super) entries: Vec<E>,
    pub(super) images: usize,
    pub(super) rows: usize,
    pub(super) length: usize,
}

impl<E: Lanes> Spread<E> {
    /// Returns room for so many images.
    pub(super) fn room(images: usize, channels: usize, [rows, length]: [usize; 2]) -> Self {
        Self {
            entries: vec![E::default(); channels.div_ceil(rows) * images * rows * length],
            images,
            rows,
            length,
        }
    }

    /// Copies some channels of an image to the place `at`.
    #[inline(always)]
    pub(super) fn copy(
        &mut self,
        at: usize,
        outputs: &Images<'_, E>,
        channels: std::ops::Range<usize>,
        image: usize,
        place: &Place,
    ) {
        let Self {
            images,
            rows,
            length,
            ..
        } = *self;
        for (index, channel) in channels.enumerate() {
            let row = (index / rows * images + at) * rows + index % rows;
            let spread = &mut self.entries[row * length..][..length];
            outputs.copy([channel, image], place, spread);
        }
    }
}
