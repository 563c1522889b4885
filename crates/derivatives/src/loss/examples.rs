//! The gradients of single examples.

use std::ops::Range;

use burn::tensor::kind::Basic;
use burn::tensor::{DType, Tensor, TensorData};
use burn_backend::TensorMetadata;
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::programs::{Linear, Stacked};
use super::stacked::{Schedule, chunk};
use crate::graph::Set;
use crate::primitive::{Kind, upload, with_leading};
use crate::run::Workers;
use crate::{CapturedLoss, Error, Linearized};

/// The data of several examples: tensors whose first axis counts them, in the order in which a
/// closure marks its data with [`Outputs::data`](crate::Outputs::data).
#[derive(Debug, Clone, Default)]
pub struct Examples {
    tensors: Vec<DispatchTensor>,
}

impl Examples {
    /// Adds a tensor of floats, integers or booleans. It must not be one of an autodiff device.
    pub fn add<const D: usize, K: Basic>(&mut self, tensor: &Tensor<D, K>) {
        self.tensors.push(tensor.clone().into_dispatch());
    }
}

impl Linearized {
    /// The gradients $g_n$, `[len, P]`, of the loss terms of some examples, for a loss that is the
    /// mean of N terms.
    ///
    /// The first axis of the marked outputs f counts the examples, and the n-th term is a function of
    /// the n-th row alone; then $g_n = N J^T (e_n \cdot \partial L / \partial f)$. The rows may be
    /// coupled, by the statistics of a batch: the derivative goes through them. Cost: for each example
    /// a backward pass over the whole batch. Where examples are independent
    /// [`gradients_over`](CapturedLoss::gradients_over) is faster.
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them.
    ///
    /// # Panics
    /// If the range ends after the last example.
    pub fn per_example_gradients(&self, examples: Range<usize>) -> Result<Tensor<2>, Error> {
        let loss = self.loss();
        let entries = loss.programs().entries(loss.recorded(), Linear::Examples)?;
        self.per_example_gradients_by(Schedule::of(loss.device(), entries), entries, examples)
    }

    fn per_example_gradients_by(
        &self,
        way: Schedule,
        entries: usize,
        examples: Range<usize>,
    ) -> Result<Tensor<2>, Error> {
        let loss = self.loss();
        let count = loss.output_shape().ok_or(Error::NoOutputs)?[0];
        assert!(
            examples.end <= count,
            "examples up to {} of {count}",
            examples.end
        );
        let chunk = match way {
            Schedule::Jobs => 1,
            Schedule::Stacked => chunk(entries, examples.len()),
        };
        let starts: Vec<usize> = examples.clone().step_by(chunk).collect();
        let job = |&start: &usize| {
            let len = chunk.min(examples.end - start);
            let weights = self.one_hot(start..start + len, count);
            let blocks = self.stacked(Linear::Examples, len, &[weights])?;
            Ok(loss.join_rows(blocks, len))
        };
        let parts: Result<Vec<_>, Error> = match way {
            Schedule::Jobs => Workers::default().map(&starts, job).into_iter().collect(),
            Schedule::Stacked => starts.iter().map(job).collect(),
        };
        let parts = parts?;
        if parts.is_empty() {
            let like = (loss.device(), loss.dtype());
            return Ok(Tensor::zeros([0, loss.dim()], like));
        }
        Ok(Tensor::cat(parts, 0))
    }

    /// $N e_n$ for each example n, as the rows of a matrix.
    fn one_hot(&self, examples: Range<usize>, count: usize) -> DispatchTensor {
        let shape = [examples.len(), count];
        let mut rows = vec![0.0; examples.len() * count];
        for (row, example) in examples.enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
            let weight = count as f64;
            rows[row * count + example] = weight;
        }
        let loss = self.loss();
        let data = TensorData::new(rows, shape).convert_dtype(loss.dtype());
        upload(data, loss.device().as_dispatch())
    }
}

impl CapturedLoss {
    /// The gradients $g_n$, `[N, P]`, of the loss terms of all examples; see
    /// [`Linearized::per_example_gradients`].
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them, a vector of
    /// another length than P.
    pub fn per_example_gradients(&self, theta: &Tensor<1>) -> Result<Tensor<2>, Error> {
        let count = self.output_shape().ok_or(Error::NoOutputs)?[0];
        self.linearize(theta)?.per_example_gradients(0..count)
    }

    /// The gradients, `[B, P]`, of a loss captured on a batch of one example, over B other examples,
    /// all at once.
    ///
    /// While it was captured the loss has marked its data ([`Outputs::data`](crate::Outputs::data)),
    /// and `examples` has the same tensors with B examples each. The loss of each row is the one
    /// that was captured with the row as its data; whatever else the closure took from its batch
    /// stays what it was. Cost: a forward and a backward pass over the examples; memory: their
    /// activations and `[B, P]` several times over.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use derivatives::{Capture, Examples};
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).with_bias(false).init(&device);
    /// let x = Tensor::<2>::from_floats([[1.0], [2.0], [3.0]], &device);
    /// let first = x.clone().slice_dim(0, 0..1);
    /// let loss = Capture::of(&model).marked_loss(|model: &Linear, device, marks| {
    ///     let x = first.clone().to_device(device);
    ///     let x = marks.data(x);
    ///     model.forward(x).sum()
    /// })?;
    /// let mut examples = Examples::default();
    /// examples.add(&x);
    /// // the gradient of w x is x
    /// let gradients = loss.gradients_over(&loss.origin(), &examples)?;
    /// assert_eq!(gradients.into_data(), x.into_data());
    /// # Ok::<(), derivatives::Error>(())
    /// ```
    ///
    /// # Errors
    /// Tensors that differ from the marked ones in number, in shape after the first axis, or in the
    /// kind of their entries; a vector of another length than P.
    pub fn gradients_over(
        &self,
        theta: &Tensor<1>,
        examples: &Examples,
    ) -> Result<Tensor<2>, Error> {
        let point = self.split(theta)?;
        let (count, data) = self.fitted(examples)?;
        let plan = self
            .programs()
            .stacked(self.recorded(), Stacked::Data, count)?;
        let slots: [(Set, &[DispatchTensor]); 2] = [(Set::POINT, &point), (Set::TANGENT, &data)];
        let blocks = plan.once(&self.data().keeping_nothing(), &slots, None);
        Ok(self.join_rows(blocks, count))
    }

    /// Number of examples, and their data in the shapes and types of the program's inputs.
    fn fitted(&self, examples: &Examples) -> Result<(usize, Vec<DispatchTensor>), Error> {
        let recorded = self.recorded();
        let (expected, found) = (recorded.data.len(), examples.tensors.len());
        if expected != found || expected == 0 {
            return Err(Error::Examples {
                reason: format!("{found} tensors, where the loss has marked {expected}"),
            });
        }
        let count = examples.tensors[0].shape().to_vec()[0];
        let mut data = Vec::with_capacity(expected);
        for (tensor, marked) in examples.tensors.iter().zip(&recorded.data) {
            let shape = tensor.shape().to_vec();
            // What the loss does not use may be anything.
            let Some(node) = *marked else {
                data.push(tensor.clone());
                continue;
            };
            let one = recorded.graph.shape(node);
            if shape[0] != count || one[0] != 1 || shape[1..] != one[1..] {
                return Err(Error::Examples {
                    reason: format!(
                        "a tensor of shape {shape:?} for {count} examples, where one example has {one:?}"
                    ),
                });
            }
            let dtype = recorded.graph.dtype(node);
            if Kind::of(dtype) != Kind::of(tensor.dtype()) {
                return Err(Error::Examples {
                    reason: format!("a tensor of {:?} for one of {dtype:?}", tensor.dtype()),
                });
            }
            data.push(self.fit(tensor.clone(), dtype, with_leading(count, one)));
        }
        Ok((count, data))
    }

    fn fit(&self, tensor: DispatchTensor, dtype: DType, shape: Vec<usize>) -> DispatchTensor {
        let device = self.device().as_dispatch();
        let shape = shape.into();
        match Kind::of(dtype) {
            Kind::Float => {
                let tensor = Dispatch::float_to_device(tensor, device);
                let tensor = Dispatch::float_cast(tensor, dtype.into());
                Dispatch::float_reshape(tensor, shape)
            }
            Kind::Int => {
                let tensor = Dispatch::int_to_device(tensor, device);
                let tensor = Dispatch::int_cast(tensor, dtype.into());
                Dispatch::int_reshape(tensor, shape)
            }
            Kind::Bool => {
                let tensor = Dispatch::bool_to_device(tensor, device);
                Dispatch::bool_reshape(tensor, shape)
            }
        }
    }
}
