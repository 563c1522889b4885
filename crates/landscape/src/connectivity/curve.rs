//! A curve between two models.

use std::sync::Arc as Shared;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Bool, Int, Tensor};

use super::Shape;
use super::arc::Arc;
use super::shape::{check_time, segments};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, Rest, copy, put, weights};
use crate::risk::check_same_function;
use crate::slice::Buffers;
use crate::vector::download;

/// A curve between two models, whose ends are fixed and whose bends can be trained.
///
/// `θ(t) = Σₖ cₖ(t) θₖ` with the coefficients of its [`Shape`]. Its ends are copies of the models,
/// so that nothing done to the curve reaches them. Each bend is a module of the models' type whose
/// parameters have ids of their own: one Burn optimiser steps all of them, whatever else it has
/// stepped before.
///
/// The tensors that are no coordinates (running statistics, frozen parameters) belong to the ends
/// alone: at t they are `(1 − t)` times those of the first model plus t times those of the second,
/// whatever the shape, unless [`Buffers`] says otherwise.
///
/// Memory: n + 2 vectors of P for n bends, and n modules.
///
/// # Examples
/// A training loop of one's own:
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::optim::{GradientsParams, SgdConfig};
/// use burn::tensor::{Device, Tensor};
/// use landscape::connectivity::{Curve, Shape, times};
///
/// let device = Device::flex().autodiff();
/// let model = || LinearConfig::new(1, 1).with_bias(false).init(&device);
/// let (a, b): (Linear, Linear) = (model(), model());
/// let mut curve = Curve::between(&a, &b, Shape::Bezier)?;
/// let mut optimiser = SgdConfig::new().init();
/// for t in times(7).take(3) {
///     let point = curve.at(t)?;
///     let loss = point
///         .forward(Tensor::<2>::ones([4, 1], &device))
///         .square()
///         .mean();
///     let gradients = GradientsParams::from_grads(loss.backward(), &point);
///     let gradients = curve.bend_gradients(t, &gradients)?;
///     curve.step(&mut optimiser, 0.1, gradients)?;
/// }
/// assert_eq!(curve.at(1.0)?.weight.to_data(), b.weight.to_data());
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs",
/// equations 3 and 4.
#[derive(Debug, Clone)]
pub struct Curve<M> {
    pub(super) shape: Shape,
    pub(super) space: ParameterSpace,
    pub(super) ends: [M; 2],
    rests: Shared<[Rest; 2]>,
    pub(super) bends: Vec<M>,
    /// The parameters of first end, bends and second end.
    nodes: Vec<Tensor<1>>,
}

impl<M: Module> Curve<M> {
    /// Returns a curve whose bends lie on the line between two models, equally spaced, so that it
    /// is that line until the bends are moved.
    ///
    /// The models have one architecture, whether one was trained on from the other or both were
    /// made or loaded separately.
    ///
    /// # Errors
    /// [`Error::AnotherModule`] with the path of a parameter that one of both has not, or in
    /// another shape; [`Error::NonFiniteWeights`]; [`Error::Setting`] for equal models and for a
    /// chain without a bend; a model that cannot be measured.
    pub fn between(first: &M, second: &M, shape: Shape) -> Result<Self, Error> {
        shape.check()?;
        let space = ParameterSpace::of(first)?;
        let thetas = [
            weights(&space, first, || "the first model".to_owned())?,
            weights(&space, second, || "the second model".to_owned())?,
        ];
        if thetas[0] == thetas[1] {
            return Err(Error::Setting {
                name: "the second end point",
                value: "equal to the first in all parameters".to_owned(),
                allowed: "another model",
            });
        }
        let rests = Shared::new([Rest::of(&space, first)?, Rest::of(&space, second)?]);
        let ends = [on_autodiff(first), on_autodiff(second)];
        let mut nodes = vec![space.domain.upload(&thetas[0])?];
        let mut bends = Vec::with_capacity(shape.bends());
        for k in 1..=shape.bends() {
            #[expect(clippy::cast_precision_loss, reason = "a curve has few bends")]
            let share = k as f64 / segments(shape.bends());
            let pairs = thetas[0].iter().zip(&thetas[1]);
            let theta: Vec<f64> = pairs.map(|(a, b)| a * (1.0 - share) + b * share).collect();
            let theta = space.domain.upload(&theta)?;
            bends.push(renamed(space.unflatten(&ends[0], &theta)?));
            nodes.push(theta);
        }
        nodes.push(space.domain.upload(&thetas[1])?);
        Ok(Self {
            shape,
            space,
            ends,
            rests,
            bends,
            nodes,
        })
    }

    /// Returns the same curve with these models as bends, in order from the first end.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of bends than the shape has; a model that has not the
    /// ends' parameters, or one that is not finite.
    pub fn with_bends(mut self, bends: &[&M]) -> Result<Self, Error> {
        if bends.len() != self.bends.len() {
            return Err(Error::Length {
                what: "list of bends",
                expected: self.bends.len(),
                found: bends.len(),
            });
        }
        for (k, bend) in bends.iter().enumerate() {
            weights(&self.space, *bend, || format!("bend {k}"))?;
            let theta = self.space.flatten(*bend)?;
            self.bends[k] = self.space.unflatten(&self.bends[k], &theta)?;
            self.nodes[k + 1] = theta;
        }
        Ok(self)
    }

    /// Returns the shape.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns the coordinates of theta, those of the first end.
    #[must_use]
    pub const fn space(&self) -> &ParameterSpace {
        &self.space
    }

    /// Returns copies of the models at both ends.
    #[must_use]
    pub const fn ends(&self) -> &[M; 2] {
        &self.ends
    }

    /// Returns the bends, from the first end to the second.
    #[must_use]
    pub fn bends(&self) -> &[M] {
        &self.bends
    }

    /// Returns `θ(t)`, `[P]`. Cost: a multiplication and an addition of vectors for each node that
    /// has a share.
    ///
    /// # Errors
    /// [`Error::Setting`] for a t outside 0 to 1.
    pub fn theta(&self, t: f64) -> Result<Tensor<1>, Error> {
        Ok(self.combined(&self.shape.coefficients(t)?))
    }

    /// Returns the derivative `θ'(t)`, `[P]`; at a corner of a chain that of the segment that
    /// begins there.
    ///
    /// # Errors
    /// As [`theta`](Self::theta).
    pub fn slope(&self, t: f64) -> Result<Tensor<1>, Error> {
        Ok(self.combined(&self.shape.slopes(t)?))
    }

    /// Returns the model at t, on the autodiff device, with the ids, the flags and everything else
    /// of the first end. Tensors that are no coordinates are interpolated between the ends.
    ///
    /// It shares nothing with the ends: training it or passing data through it changes neither.
    ///
    /// # Errors
    /// As [`theta`](Self::theta), and ends that differ in a tensor that cannot be interpolated.
    pub fn at(&self, t: f64) -> Result<M, Error> {
        self.placed(&self.theta(t)?, Some(t))
    }

    /// Returns the model at t with the running statistics and frozen parameters that `buffers`
    /// says. With [`Buffers::Recompute`] a forward pass over its data.
    ///
    /// # Errors
    /// As [`at`](Self::at), and [`Risk::recompute_statistics`](crate::Risk::recompute_statistics).
    pub fn at_with<B: Batch>(&self, t: f64, buffers: &Buffers<M, B>) -> Result<M, Error> {
        self.placed_with(&self.theta(t)?, t, buffers)
    }

    /// Returns the average of all points, `∫₀¹ θ(t) dt`, as a model; its other tensors are the
    /// mean of the ends'. Recompute BatchNorm's statistics before measuring it
    /// ([`Risk::recompute_statistics`](crate::Risk::recompute_statistics)).
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn average(&self) -> Result<M, Error> {
        let theta = self.combined(&self.shape.mean_coefficients());
        self.placed(&theta, Some(0.5))
    }

    /// Returns the same as [`average`](Self::average) with the tensors beside the parameters that
    /// `buffers` says.
    ///
    /// # Errors
    /// As [`at_with`](Self::at_with).
    pub(super) fn average_with<B: Batch>(&self, buffers: &Buffers<M, B>) -> Result<M, Error> {
        let theta = self.combined(&self.shape.mean_coefficients());
        self.placed_with(&theta, 0.5, buffers)
    }

    /// Returns the length of the curve from 0 to each t, exact up to rounding:
    /// `∫ ‖θ'(s)‖ ds`, Euclidean.
    ///
    /// Cost: a vector operation for each node; memory: three vectors of P on the host.
    ///
    /// # Errors
    /// As [`theta`](Self::theta).
    pub fn lengths(&self, t: &[f64]) -> Result<Vec<f64>, Error> {
        t.iter().try_for_each(|&t| check_time(t))?;
        let arc = Arc::of(self.shape, |k| download(&self.nodes[k]));
        Ok(t.iter().map(|&t| arc.up_to(t)).collect())
    }

    /// Returns the length of the whole curve.
    ///
    /// # Errors
    /// None that a curve that could be made gives.
    pub fn length(&self) -> Result<f64, Error> {
        Ok(self.lengths(&[1.0])?[0])
    }

    /// Moves the bends of a chain along it until all segments take the same length of it, up to the
    /// corners that are cut; does nothing to other shapes. A point at t then lies at the share t of
    /// the length.
    ///
    /// Left to themselves the bends of a chain slide into the valleys at its ends, and one long
    /// segment crosses what lies between: that lowers the mean over t, and leaves the barrier. This
    /// is the step of the string method that keeps them apart, after each step of an optimiser.
    ///
    /// Cost: two vector operations for each node. Memory: n + 2 vectors of P.
    ///
    /// # Errors
    /// None that a curve that could be made gives.
    ///
    /// # References
    /// E, Ren and Vanden-Eijnden 2007, "Simplified and improved string method for computing the
    /// minimum energy paths in barrier-crossing events", equations 8 to 10.
    pub fn space_equally(&mut self) -> Result<(), Error> {
        let Shape::Chain { bends } = self.shape else {
            return Ok(());
        };
        let arc = Arc::of(self.shape, |k| download(&self.nodes[k]));
        let places = arc.equal_parts(bends + 1);
        let thetas: Vec<Tensor<1>> = places
            .into_iter()
            .map(|(segment, share)| {
                let (from, to) = (&self.nodes[segment], &self.nodes[segment + 1]);
                from.clone() * (1.0 - share) + to.clone() * share
            })
            .collect();
        for (k, theta) in thetas.into_iter().enumerate() {
            self.bends[k] = self.space.unflatten(&self.bends[k], &theta)?;
            self.nodes[k + 1] = theta;
        }
        Ok(())
    }

    /// Returns the path of the first tensor that is no coordinate and differs between the ends.
    pub(super) fn rest_differs(&self) -> Option<&str> {
        self.rests[0].differs(&self.rests[1])
    }

    /// Checks that the curve ends at the second model: that the first with all tensors of the
    /// second has its value. A setting that is no tensor, such as an activation, moves on no curve.
    ///
    /// # Errors
    /// [`Error::OtherFunction`].
    pub(super) fn reaches_second(
        &self,
        value: impl Fn(&M) -> Result<f64, Error>,
    ) -> Result<(), Error> {
        let expected = value(&self.ends[1])?;
        let found = value(&self.at(1.0)?)?;
        check_same_function(&self.space.domain, 1, expected, found)
    }

    /// Returns the parameters of the bends.
    pub(super) fn bend_nodes(&self) -> &[Tensor<1>] {
        &self.nodes[1..=self.bends.len()]
    }

    /// Puts a new model in the place of bend k.
    pub(super) fn replace(&mut self, k: usize, bend: M) -> Result<(), Error> {
        self.nodes[k + 1] = self.space.flatten(&bend)?;
        self.bends[k] = bend;
        Ok(())
    }

    fn combined(&self, coefficients: &[f64]) -> Tensor<1> {
        let mut sum: Option<Tensor<1>> = None;
        for (node, &coefficient) in self.nodes.iter().zip(coefficients) {
            // Exactly the ends at the ends.
            if coefficient != 0.0 {
                let term = node.clone() * coefficient;
                sum = Some(match sum {
                    None => term,
                    Some(sum) => sum + term,
                });
            }
        }
        sum.unwrap_or_else(|| self.nodes[0].clone() * 0.0)
    }

    /// Returns the model at theta; `share` says where between the ends its other tensors lie before
    /// `buffers` changes them.
    fn placed_with<B: Batch>(
        &self,
        theta: &Tensor<1>,
        share: f64,
        buffers: &Buffers<M, B>,
    ) -> Result<M, Error> {
        match buffers {
            Buffers::Interpolate => self.placed(theta, Some(share)),
            Buffers::Recompute(data) => {
                data.recompute_statistics(&self.placed(theta, Some(share))?)
            }
            Buffers::Keep => self.placed(theta, None),
        }
    }

    fn placed(&self, theta: &Tensor<1>, share: Option<f64>) -> Result<M, Error> {
        let model = self.space.unflatten(&self.ends[0], theta)?;
        match share {
            Some(t) if self.rest_differs().is_some() => {
                Ok(put(model, &Rest::combine(&self.rests[..], &[1.0 - t, t])?))
            }
            _ => Ok(model),
        }
    }
}

/// Returns a copy of a model on the autodiff device.
fn on_autodiff<M: Module>(model: &M) -> M {
    let copy = copy(model);
    if copy.devices().iter().any(|device| device.is_autodiff()) {
        copy
    } else {
        copy.train()
    }
}

/// Returns the model with new ids; what was one parameter stays one.
fn renamed<M: Module>(model: M) -> M {
    struct Rename(std::collections::HashMap<ParamId, ParamId>);
    impl Rename {
        fn of(&mut self, id: ParamId) -> ParamId {
            *self.0.entry(id).or_default()
        }
    }
    impl ModuleMapper for Rename {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            Param::from_mapped_value(self.of(id), tensor, mapper)
        }

        fn map_int<const D: usize>(
            &mut self,
            param: Param<Tensor<D, Int>>,
        ) -> Param<Tensor<D, Int>> {
            let (id, tensor, mapper) = param.consume();
            Param::from_mapped_value(self.of(id), tensor, mapper)
        }

        fn map_bool<const D: usize>(
            &mut self,
            param: Param<Tensor<D, Bool>>,
        ) -> Param<Tensor<D, Bool>> {
            let (id, tensor, mapper) = param.consume();
            Param::from_mapped_value(self.of(id), tensor, mapper)
        }
    }
    model.map(&mut Rename(std::collections::HashMap::new()))
}
