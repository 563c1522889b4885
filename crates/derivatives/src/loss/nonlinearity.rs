//! The nonlinearities of a captured loss, and their values.

use burn::tensor::Tensor;

use super::vectors::flat;
use crate::graph::{Graph, NodeId};
use crate::primitive::{Layout, Primitive};
use crate::{CapturedLoss, Error};

/// The kind of a nonlinearity that is applied entry by entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NonlinearityKind {
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), c)`, such as ReLU6.
    ClippedRelu,
    /// x for x ≥ 0, otherwise a multiple of x: leaky ReLU, PReLU.
    LeakyRelu,
    /// `x Φ(x)` with the normal distribution Φ, or its approximation by tanh.
    Gelu,
    /// `x σ(x)`, also called swish.
    Silu,
    /// `σ(x) = 1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// A line between 0 and 1, constant outside.
    HardSigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

impl NonlinearityKind {
    /// Returns the name, in lower snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::ClippedRelu => "clipped_relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::HardSigmoid => "hard_sigmoid",
            Self::Tanh => "tanh",
        }
    }
}

/// A nonlinearity of a captured loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonlinearity {
    /// The function.
    pub kind: NonlinearityKind,
    /// Path of the module whose parameter was used last on the way to it, such as `block1.conv`;
    /// none where no parameter was. A parameter of the model itself stands for itself.
    pub module: Option<String>,
    /// Shape of the tensor to which it is applied, as the model has it.
    pub shape: Vec<usize>,
    /// The axis that counts features: the channels after a convolution, the outputs of a linear
    /// layer. None for a tensor of fewer than two axes.
    pub feature_axis: Option<usize>,
}

/// The values of a [`Nonlinearity`], flat and row-major.
#[derive(Debug, Clone)]
pub struct NonlinearityValues {
    /// What it is applied to, where its slope cannot be told from its value: GELU and SiLU.
    pub input: Option<Tensor<1>>,
    /// Its value.
    pub output: Tensor<1>,
}

/// A nonlinearity, and its place in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NonlinearityNodes {
    pub(crate) what: Nonlinearity,
    pub(crate) input: NodeId,
    pub(crate) output: NodeId,
}

impl NonlinearityNodes {
    fn needs_input(&self) -> bool {
        matches!(
            self.what.kind,
            NonlinearityKind::Gelu | NonlinearityKind::Silu
        )
    }

    /// Returns the nodes whose values are asked for.
    pub(crate) fn targets(&self) -> impl Iterator<Item = NodeId> {
        let input = self.needs_input().then_some(self.input);
        std::iter::once(self.output).chain(input)
    }
}

impl CapturedLoss {
    /// Returns the nonlinearities through which the loss depends on the parameters, in the order
    /// in which they were recorded; where outputs are marked, those of the model alone.
    ///
    /// A layer that is applied several times, as in a recurrent network, is there as often. What
    /// Burn records in parts is not recognised, but for SiLU and the approximate GELU: ELU, Mish,
    /// hard swish and softplus are missing. So is softmax, which is not applied entry by entry. In
    /// a loss without marked outputs those of the loss itself are there too, such as the sigmoid
    /// of a binary cross entropy.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor, activation::relu};
    /// use derivatives::{Capture, NonlinearityKind};
    ///
    /// let device = Device::flex();
    /// let model =
    ///     [(2, 3), (3, 1)].map(|(from, to)| LinearConfig::new(from, to).init(&device));
    /// let x = Tensor::<2>::ones([4, 2], &device);
    /// let loss = Capture::of(&model).loss(|[first, second]: &[Linear; 2], device| {
    ///     let hidden = relu(first.forward(x.clone().to_device(device)));
    ///     second.forward(hidden).square().mean()
    /// })?;
    /// let found = loss.nonlinearities();
    /// assert_eq!(found.len(), 1);
    /// assert_eq!(found[0].kind, NonlinearityKind::Relu);
    /// assert_eq!(
    ///     (found[0].shape.as_slice(), found[0].feature_axis),
    ///     ([4, 3].as_slice(), Some(1))
    /// );
    /// assert_eq!(found[0].module.as_deref(), Some("0"));
    /// let values = loss.nonlinearity_values(&loss.origin())?;
    /// assert_eq!(values[0].output.dims(), [12]);
    /// # Ok::<(), derivatives::Error>(())
    /// ```
    #[must_use]
    pub fn nonlinearities(&self) -> Vec<Nonlinearity> {
        let all = self.programs().nonlinearities().iter();
        all.map(|found| found.what.clone()).collect()
    }

    /// Returns the values of all [`nonlinearities`](Self::nonlinearities) at θ, in their order.
    /// Cost: a forward pass, whose values stay in memory.
    ///
    /// # Errors
    /// A vector of another length than P.
    #[expect(
        clippy::missing_panics_doc,
        reason = "a program gives a value for each of its targets"
    )]
    pub fn nonlinearity_values(&self, theta: &Tensor<1>) -> Result<Vec<NonlinearityValues>, Error> {
        let all = self.programs().nonlinearities();
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.at_point(self.programs().nonlinearity_plan(), theta)?;
        let mut values = values.into_iter().map(flat);
        let mut next = || values.next().expect("a value for each target");
        let values = all.iter().map(|found| NonlinearityValues {
            output: next(),
            input: found.needs_input().then(&mut next),
        });
        Ok(values.collect())
    }
}

/// Returns the node whose entries `id` has in another order: a rearrangement that nothing else
/// needs is moved behind or dropped, and then it is not part of the loss.
pub(super) fn without_order(graph: &Graph, mut id: NodeId) -> NodeId {
    while let Primitive::Layout(Layout::Permute(_)) | Primitive::Barrier = graph.primitive(id) {
        id = graph.input(id, 0);
    }
    id
}
