//! One parameter tensor of a space.

use std::ops::Range;

use burn::module::ParamId;

/// One parameter tensor of a [`ParameterSpace`].
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Burn's identity of the parameter.
    pub id: ParamId,
    /// Path in the module, `conv1.weight`.
    pub path: String,
    /// Type of the layer that holds it, `Conv2d`.
    pub layer: String,
    /// Shape of the tensor in Burn's layout.
    pub shape: Vec<usize>,
    /// Position of its first entry in the flat vector; entries follow row-major.
    pub offset: usize,
    /// The axis that counts filters (output channels, neurons); `None` for rank 0 and 1.
    pub filter_axis: Option<usize>,
}

impl Block {
    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns whether the tensor has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the block's place in the flat vector.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }
}
