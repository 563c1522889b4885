//! A loss on a line or a plane through a point.

use std::time::Duration;

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_dispatch::DispatchTensor;

use super::captured::number;
use crate::graph::{Graph, NodeId, Set};
use crate::primitive::upload;
use crate::run::{Plan, PlanValues, Profile, Value};
use crate::transform::{evaluated, jvp, on_plane};
use crate::{CapturedLoss, CapturedLosses, Error};

/// A captured loss on the plane through a point along D directions, `a ↦ L(θ + Σᵢ aᵢ dᵢ)`; see
/// [`CapturedLoss::on_plane`].
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
    /// Returns the loss on the plane through `theta` along `directions`, vectors of shape `[P]`;
    /// with one direction, on a line.
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
    /// let θ = Tensor::<1>::zeros([2], &device);
    /// let w = Tensor::<1>::from_floats([1.0, 0.0], &device);
    /// let b = Tensor::<1>::from_floats([0.0, 1.0], &device);
    /// let plane = loss.on_plane(&θ, [&w, &b])?;
    /// assert_eq!(plane.value([2.0, -1.0]), 25.0);
    /// let line = loss.on_plane(&θ, [&w])?;
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
        planned(
            std::slice::from_ref(self),
            theta,
            directions,
            |graph, loss, _| vec![evaluated(graph, loss)],
        )
    }
}

impl CapturedLosses {
    /// Returns the losses on the plane through `theta` along `directions`, as
    /// [`CapturedLoss::on_plane`]. What they have in common is computed once.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn on_plane<const D: usize>(
        &self,
        theta: &Tensor<1>,
        directions: [&Tensor<1>; D],
    ) -> Result<Plane<D>, Error> {
        planned(self.losses(), theta, directions, |graph, loss, _| {
            vec![evaluated(graph, loss)]
        })
    }

    /// Returns the losses on the plane with their derivatives by the coordinates, by forward
    /// derivatives. What is linear in the parameters and its derivatives are computed now; a point
    /// then costs D + 1 forward passes after the first layer, and for D > 1 one more for the mixed
    /// derivative. A loss in which no derivative gets through, such as an accuracy, has zeros.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use derivatives::Capture;
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).init(&device);
    /// let x = Tensor::<2>::full([4, 1], 3.0, &device);
    /// let losses = Capture::of(&model).losses(|model: &Linear, device: &Device| {
    ///     let outputs = model.forward(x.to_device(device));
    ///     vec![outputs.clone().square().mean(), outputs.mean()]
    /// })?;
    /// // (3 w + b)² and 3 w + b along both axes from (0, 0)
    /// let zero = Tensor::<1>::zeros([2], &device);
    /// let w = Tensor::<1>::from_floats([1.0, 0.0], &device);
    /// let b = Tensor::<1>::from_floats([0.0, 1.0], &device);
    /// let plane = losses.slopes_on_plane(&zero, [&w, &b])?;
    /// let [square, linear] = plane.slopes([2.0, -1.0])[..] else {
    ///     unreachable!()
    /// };
    /// assert_eq!(
    ///     (square.value, square.slope, square.mixed),
    ///     (25.0, [30.0, 10.0], Some(6.0))
    /// );
    /// assert_eq!(
    ///     (linear.value, linear.slope, linear.mixed),
    ///     (5.0, [3.0, 1.0], Some(0.0))
    /// );
    /// # Ok::<(), derivatives::Error>(())
    /// ```
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn slopes_on_plane<const D: usize>(
        &self,
        theta: &Tensor<1>,
        directions: [&Tensor<1>; D],
    ) -> Result<SlopedPlane<D>, Error> {
        let plane = planned(self.losses(), theta, directions, |graph, loss, seeds| {
            let zero = |graph: &mut Graph| graph.fill(0.0, loss);
            let mut wanted = vec![loss];
            for along in seeds {
                let slope = jvp(graph, along, &[loss])[0];
                let slope = slope.unwrap_or_else(|| zero(graph));
                wanted.push(slope);
            }
            if let [_, second, ..] = seeds {
                let mixed = jvp(graph, second, &[wanted[1]])[0];
                let mixed = mixed.unwrap_or_else(|| zero(graph));
                wanted.push(mixed);
            }
            wanted
        })?;
        Ok(SlopedPlane(plane))
    }
}

/// The nodes that move, each with its direction.
type Seeds = Vec<(NodeId, NodeId)>;

/// Returns what `wanted` makes of each loss, as functions of the coordinates; it is given the
/// parameters with their directions, for each coordinate.
fn planned<const D: usize>(
    losses: &[CapturedLoss],
    theta: &Tensor<1>,
    directions: [&Tensor<1>; D],
    wanted: impl Fn(&mut Graph, NodeId, &[Seeds]) -> Vec<NodeId>,
) -> Result<Plane<D>, Error> {
    let first = losses.first().ok_or(Error::NotCaptured { what: "loss" })?;
    let dtype = first.dtype();
    let mut point = first.split(theta)?;
    for direction in directions {
        point.extend(first.split(direction)?);
    }
    let recorded = first.programs().recorded();
    let parameters = &recorded.parameters;
    let mut graph = recorded.graph.clone();
    // The directions are inputs of the point, after the parameters.
    let seeds: Vec<Seeds> = (0..D)
        .map(|i| {
            let seed = |(index, &parameter): (usize, &NodeId)| {
                let shape = graph.shape(parameter).to_vec();
                let slot = (i + 1) * parameters.len() + index;
                (parameter, graph.slot(Set::POINT, slot, shape, dtype))
            };
            parameters.iter().enumerate().map(seed).collect()
        })
        .collect();
    let mut targets = Vec::new();
    for loss in losses {
        targets.extend(wanted(&mut graph, loss.programs().recorded().loss, &seeds));
    }
    let set = graph.fresh_set();
    let coordinates: Vec<_> = (0..D)
        .map(|index| graph.slot(set, index, vec![1], dtype))
        .collect();
    let variables: Vec<(NodeId, Vec<NodeId>)> = parameters
        .iter()
        .enumerate()
        .map(|(index, &parameter)| {
            (
                parameter,
                seeds.iter().map(|along| along[index].1).collect(),
            )
        })
        .collect();
    let outputs = on_plane(&mut graph, &variables, &coordinates, &targets);
    let device = first.device().clone();
    let plan = Plan::new(&graph, &outputs, device.as_dispatch());
    let start = plan.start(&first.data().keeping_nothing());
    Ok(Plane {
        kept: plan.advance(&start, Set::POINT, &point),
        plan,
        coordinates: set,
        dtype,
        device,
    })
}

impl<const D: usize> Plane<D> {
    /// Returns `L(θ + Σᵢ aᵢ dᵢ)` at the coordinates a, of the first loss if there are several.
    /// Cost: a forward pass less its first layers.
    #[must_use]
    pub fn value(&self, at: [f64; D]) -> f64 {
        self.values(at)[0]
    }

    /// Returns the value of each loss at the coordinates a. Cost: a forward pass less its first
    /// layers, of which the losses share what they have in common.
    #[must_use]
    pub fn values(&self, at: [f64; D]) -> Vec<f64> {
        let slots = self.slots(at);
        let values = self.plan.advance(&self.kept, self.coordinates, &slots);
        self.plan.outputs(&values).iter().map(number).collect()
    }

    /// Returns for each operation of [`value`](Self::value) with its shape the time it took and how
    /// often it ran, the longest first. For looking at, not for parsing.
    #[must_use]
    pub fn times(&self, at: [f64; D]) -> Vec<(String, Duration, usize)> {
        let mut times = Profile::default();
        let slots = self.slots(at);
        self.plan
            .advance_timed(&self.kept, self.coordinates, &slots, Some(&mut times));
        times.sorted()
    }

    fn slots(&self, at: [f64; D]) -> [DispatchTensor; D] {
        at.map(|coordinate| {
            let data = TensorData::new(vec![coordinate], [1]).convert_dtype(self.dtype);
            upload(data, self.device.as_dispatch())
        })
    }

    /// Returns how many bytes the kept tensors have, the batch's own among them that a point still
    /// needs.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.kept.iter().flatten().map(Value::bytes).sum()
    }
}

/// Captured losses on a plane with their derivatives by the coordinates; see
/// [`CapturedLosses::slopes_on_plane`].
#[derive(Debug)]
pub struct SlopedPlane<const D: usize>(Plane<D>);

/// A value on a plane and its derivatives by the coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slopes<const D: usize> {
    /// The value.
    pub value: f64,
    /// The derivative by each coordinate, `∇L(θ + Σⱼ aⱼ dⱼ)ᵀ dᵢ`.
    pub slope: [f64; D],
    /// The derivative by the first and the second coordinate, `d₁ᵀ H d₂`; none on a line.
    pub mixed: Option<f64>,
}

impl<const D: usize> SlopedPlane<D> {
    /// Returns value and derivatives of each loss at the coordinates `at`.
    #[must_use]
    pub fn slopes(&self, at: [f64; D]) -> Vec<Slopes<D>> {
        let numbers = self.0.values(at);
        let each = 1 + D + usize::from(D > 1);
        let slopes = |numbers: &[f64]| Slopes {
            value: numbers[0],
            slope: std::array::from_fn(|i| numbers[1 + i]),
            mixed: numbers.get(1 + D).copied(),
        };
        numbers.chunks(each).map(slopes).collect()
    }

    /// Returns how many bytes the kept tensors have, as [`Plane::kept_bytes`].
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.0.kept_bytes()
    }
}
