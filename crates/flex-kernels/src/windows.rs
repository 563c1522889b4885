//! Windows over two axes, as of a convolution or a pooling.

/// Windows over two axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Lengths of the input's axes.
    pub input: [usize; 2],
    /// Numbers of windows along them.
    pub output: [usize; 2],
    /// Entries of a window along them.
    pub kernel: [usize; 2],
    /// From one window to the next.
    pub stride: [usize; 2],
    /// Entries on either side of the input that are not there.
    pub padding: [usize; 2],
    /// From one entry of a window to the next.
    pub dilation: [usize; 2],
}

#[cfg(feature = "flex")]
impl Windows {
    /// Returns the outputs along an axis whose window entry `offset` is inside the input: the first
    /// and the end.
    pub(crate) fn inside(&self, axis: usize, offset: usize) -> (usize, usize) {
        let shift = offset * self.dilation[axis];
        let (stride, padding) = (self.stride[axis], self.padding[axis]);
        let first = padding.saturating_sub(shift).div_ceil(stride);
        let end = (self.input[axis] + padding)
            .saturating_sub(shift)
            .div_ceil(stride);
        let first = first.min(self.output[axis]);
        (first, end.clamp(first, self.output[axis]))
    }
}

/// Outputs of a tile of the kernels without patches.
const TILE: usize = 32;
/// The cost of an entry of a patch, which is made and read again, in multiplications: as measured
/// for 8 to 64 channels, on a processor with AVX2.
const PATCH: usize = 24;

impl Windows {
    /// Returns whether a convolution to so many channels is done without patches: whether there are
    /// kernels for it, which are for windows one after the other, of two entries at least, whose
    /// zeros do not reach beyond a whole window; and whether these are the faster way.
    ///
    /// They compute outputs between two rows that there are not, a large part of small images. What
    /// patches cost weighs the less, the more channels each is multiplied for.
    #[must_use]
    pub fn are_direct(&self, channels: usize) -> bool {
        self.have_kernels() && {
            let width = self.input[1] + 2 * self.padding[1];
            let [ho, wo] = self.output;
            let computed = ((ho - 1) * width + wo).next_multiple_of(TILE);
            computed * channels <= ho * wo * (channels + PATCH)
        }
    }

    /// Returns whether there are kernels for the windows; see [`Self::are_direct`].
    pub(crate) fn have_kernels(&self) -> bool {
        let fits = |axis: usize| {
            let reach = (self.kernel[axis] - 1) * self.dilation[axis];
            self.padding[axis] <= reach
                && self.input[axis] + 2 * self.padding[axis] == self.output[axis] + reach
        };
        self.stride == [1, 1] && self.kernel != [1, 1] && self.output != [0, 0] && (0..2).all(fits)
    }
}
