//! A loss on a line or a plane through a point.

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_backend::TensorMetadata;

use super::captured::number;
use crate::graph::{Set, elements};
use crate::primitive::upload;
use crate::run::{Plan, PlanValues};
use crate::transform::{evaluated, on_plane};
use crate::{CapturedLoss, Error};

/// A captured loss on the plane through a point along D directions,
/// $(a_1, \dots, a_D) \mapsto L(\theta + \sum_i a_i d_i)$; see [`CapturedLoss::on_plane`].
///
/// What does not depend on the coordinates is computed and kept as long as this value lives.
#[derive(Debug)]
pub struct Plane<const D: usize> {
    plan: Plan,
    kept: PlanValues,
    coordinates: Set,
    dtype: DType,
    device: Device,
}

impl CapturedLoss {
    /// The loss on the plane through `theta` along `directions`, vectors of shape `[P]`; with one
    /// direction, on a line.
    ///
    /// What is linear in the parameters, such as the products of a first layer, is computed for
    /// `theta` and each direction now; a value on the plane then costs a sum of those, and the
    /// forward pass after it. The two are equal up to rounding to the forward pass at the moved
    /// parameters, as long as no product of data and parameters overflows. Cost: the first
    /// layers' share of D + 1 forward passes, and as many times their outputs in memory.
    ///
    /// ```
    /// use burn::nn::LinearConfig;
    /// use burn::tensor::{Device, Tensor};
    /// use derivatives::Capture;
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).init(&device);
    /// let x = Tensor::<2>::full([4, 1], 3.0, &device);
    /// let loss = Capture::of(&model).loss(|model: &burn::nn::Linear, device: &Device| {
    ///     model.forward(x.to_device(device)).square().mean()
    /// })?;
    /// // The loss is (3 w + b)^2; the plane goes through (0, 0) along both axes.
    /// let theta = Tensor::<1>::zeros([2], &device);
    /// let w = Tensor::<1>::from_floats([1.0, 0.0], &device);
    /// let b = Tensor::<1>::from_floats([0.0, 1.0], &device);
    /// let plane = loss.on_plane(&theta, [&w, &b])?;
    /// assert_eq!(plane.value([2.0, -1.0]), 25.0);
    /// let line = loss.on_plane(&theta, [&w])?;
    /// assert_eq!(line.value([2.0]), 36.0);
    /// # Ok::<(), derivatives::Error>(())
    /// ```
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn on_plane<const D: usize>(
        &self,
        theta: &Tensor<1>,
        directions: [&Tensor<1>; D],
    ) -> Result<Plane<D>, Error> {
        let mut point = self.split(theta)?;
        for direction in directions {
            point.extend(self.split(direction)?);
        }
        let recorded = self.recorded();
        let parameters = &recorded.parameters;
        let mut graph = recorded.graph.clone();
        let loss = evaluated(&mut graph, recorded.loss);
        let set = graph.fresh_set();
        let coordinates: Vec<_> = (0..D)
            .map(|index| graph.slot(set, index, vec![1], self.dtype()))
            .collect();
        // The directions are inputs of the point, after the parameters.
        let variables: Vec<_> = parameters
            .iter()
            .enumerate()
            .map(|(index, &parameter)| {
                let shape = graph.shape(parameter).to_vec();
                let slot = |i| (i + 1) * parameters.len() + index;
                let directions = (0..D)
                    .map(|i| graph.slot(Set::POINT, slot(i), shape.clone(), self.dtype()))
                    .collect();
                (parameter, directions)
            })
            .collect();
        let value = on_plane(&mut graph, &variables, &coordinates, loss);
        let device = self.device().clone();
        let plan = Plan::new(&graph, &[value], device.as_dispatch());
        let start = plan.start(&self.data().keeping_nothing());
        Ok(Plane {
            kept: plan.advance(&start, Set::POINT, &point),
            plan,
            coordinates: set,
            dtype: self.dtype(),
            device,
        })
    }
}

impl<const D: usize> Plane<D> {
    /// $L(\theta + \sum_i a_i d_i)$ at the coordinates a. Cost: a forward pass less its first layers.
    #[must_use]
    pub fn value(&self, at: [f64; D]) -> f64 {
        let slots = at.map(|coordinate| {
            let data = TensorData::new(vec![coordinate], [1]).convert_dtype(self.dtype);
            upload(data, self.device.as_dispatch())
        });
        let values = self.plan.advance(&self.kept, self.coordinates, &slots);
        number(&self.plan.outputs(&values)[0])
    }

    /// How many bytes the kept tensors have, the batch's own among them that a point still needs.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        let kept = self.kept.iter().flatten();
        kept.map(|tensor| elements(&tensor.shape()) * tensor.dtype().size())
            .sum()
    }
}
