//! One parameter tensor of a space, and its filters.

use std::ops::Range;

use burn::module::ParamId;

/// One parameter tensor of a [`ParameterSpace`](super::ParameterSpace).
///
/// # Filters
///
/// A filter is the weights of one output channel or neuron inside one tensor. It is found by the
/// type of the layer that holds the tensor:
///
/// | layer | weights in Burn | a filter |
/// |---|---|---|
/// | `Linear` | `[in, out]` | a column: the weights into one neuron |
/// | `Conv1d`, `Conv2d`, `Conv3d`, `DeformConv2d` | `[out, in/groups, k..]` | an output channel, grouped or not |
/// | `ConvTranspose1d`, `2d`, `3d` | `[in, out/groups, k..]` | an output channel: one index of axis 1 in one group of axis 0 |
/// | `Embedding` | `[tokens, width]` | a row: the vector of one token |
/// | `Rnn`, `Gru`, `Lstm`, `BiRnn`, `BiGru`, `BiLstm` | two `Linear` for each gate, from the input and from the state | a column of either: one neuron of one gate |
/// | `MultiHeadAttention`, `CrossAttention` | a `Linear` each for query, key, value and output, heads side by side along the columns | a column: one neuron of one head |
/// | `TransformerEncoder`, `TransformerDecoder`, `PositionWiseFeedForward`, `SwiGlu` | these layers and `Linear` | theirs |
/// | biases, `PRelu`, scale and shift of `BatchNorm`, `LayerNorm`, `GroupNorm`, `InstanceNorm`, `RmsNorm` | rank 1 | none |
/// | a layer of one's own, rank 2 and more | | one index of axis 0, until [`with_filters`](super::ParameterSpace::with_filters) says otherwise |
///
/// Neurons of a gate and of a head, not whole gates or heads: these are the rows of PyTorch's
/// `weight_ih`, `weight_hh` and `in_proj_weight`, which the program of Li et al. takes as filters,
/// so that numbers can be compared. It is also the finer choice. Where each neuron's part of a
/// direction has the norm of its weights, so has each gate's and each head's, and a neuron's
/// weights from input and state together.
///
/// The groups of a transposed convolution are told by the length of its bias. One without a bias is
/// taken to have one group: [`with_filters`](super::ParameterSpace::with_filters) says more.
///
/// # References
/// Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 4, and their program's
/// `normalize_direction`, which takes the entries of a tensor's first axis.
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
    /// The number of equal parts of axis 0 that have filters of their own: the groups of a
    /// transposed convolution; 1 elsewhere.
    pub filter_parts: usize,
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

    /// Returns the filters, each as ranges of the block's entries, counted from the block's first;
    /// nothing for a tensor without filters.
    ///
    /// The filters of a tensor have no entry in common and together have all.
    ///
    /// # Examples
    /// ```
    /// use burn::nn::LinearConfig;
    /// use burn::tensor::Device;
    /// use landscape::ParameterSpace;
    ///
    /// let space = ParameterSpace::of(&LinearConfig::new(2, 3).init(&Device::flex()))?;
    /// // Rows of three: the neurons are columns.
    /// let neurons: Vec<_> = space.blocks[0].filters().collect();
    /// assert_eq!(neurons, [[0..1, 3..4], [1..2, 4..5], [2..3, 5..6]]);
    /// assert_eq!(space.blocks[1].filters().count(), 0);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn filters(&self) -> impl Iterator<Item = Vec<Range<usize>>> {
        // Row-major: runs of `inner` entries, `count * inner` apart, `outer` of them, which axis 0
        // cuts into equal parts.
        let (count, inner, outer) = match self.filter_axis {
            None => (0, 0, 0),
            Some(axis) => (
                self.shape[axis],
                self.shape[axis + 1..].iter().product::<usize>(),
                self.shape[..axis].iter().product::<usize>(),
            ),
        };
        let of_part = outer / self.filter_parts;
        (0..self.filter_parts).flat_map(move |part| {
            (0..count).map(move |filter| {
                (part * of_part..(part + 1) * of_part)
                    .map(|o| (o * count + filter) * inner)
                    .map(|start| start..start + inner)
                    .collect()
            })
        })
    }
}
