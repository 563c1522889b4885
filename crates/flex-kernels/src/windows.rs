//! Windows over two axes, as of a convolution or a pooling.

/// Windows over two axes.
#[derive(Debug, Clone, Copy)]
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
