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
