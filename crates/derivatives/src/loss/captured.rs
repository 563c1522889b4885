//! A captured loss and its derivatives.

use std::sync::Arc;
use std::time::Duration;

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use super::programs::{Linear, Programs};
use crate::Error;
use crate::graph::Recorded;
use crate::graph::{Set, elements};
use crate::loss::Linearized;
use crate::primitive::Primitive;
use crate::run::CapturedData;
use crate::run::Profile;
use crate::run::{Plan, PlanValues};

/// A loss L of the parameters theta, as a program; the batch is part of it.
///
/// Vectors are flat, `[P]`: the captured parameters in order, each row-major. They stand on the
/// device and have the type of the parameters. Programs are made at their first use, and what does
/// not depend on theta is computed once. Cheap to clone; the clones share the programs.
#[derive(Debug, Clone)]
pub struct CapturedLoss {
    inner: Arc<Inner>,
    data: Arc<CapturedData>,
    origin: Arc<Vec<TensorData>>,
}

/// What losses of different batches may have in common: the graph, without captured data, and its
/// programs.
#[derive(Debug)]
pub(crate) struct Inner {
    recorded: Recorded,
    blocks: Vec<Vec<usize>>,
    dim: usize,
    programs: Programs,
}

impl Inner {
    /// Whether both are the same programs, of losses whose data may differ.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.recorded.is_like(&other.recorded)
    }
}

impl CapturedLoss {
    pub(crate) fn new(mut recorded: Recorded, origin: Vec<TensorData>) -> Result<Self, Error> {
        let Recorded {
            graph, parameters, ..
        } = &recorded;
        let ancestors = graph.ancestors(&[recorded.loss]);
        if !parameters
            .iter()
            .any(|parameter| ancestors.contains(parameter))
        {
            return Err(Error::Disconnected);
        }
        let blocks: Vec<Vec<usize>> = parameters
            .iter()
            .map(|&parameter| graph.shape(parameter).to_vec())
            .collect();
        let dim = blocks.iter().map(|shape| elements(shape)).sum();
        let data = CapturedData::new(recorded.graph.constants().to_vec());
        recorded.graph = std::mem::take(&mut recorded.graph).without_data();
        Ok(Self {
            data: Arc::new(data),
            origin: Arc::new(origin),
            inner: Arc::new(Inner {
                recorded,
                blocks,
                dim,
                programs: Programs::default(),
            }),
        })
    }

    /// Number of parameter entries P.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.inner.dim
    }

    /// The float type of theta.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.inner.recorded.dtype()
    }

    /// Where theta stands and programs run.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.inner.recorded.device
    }

    /// Whether the model's outputs were marked, so that Gauss-Newton products are possible.
    #[must_use]
    pub fn has_outputs(&self) -> bool {
        self.output_shape().is_some()
    }

    /// Whether the loss takes a derivative inside ([`input_gradient`](crate::input_gradient)), which
    /// Burn's gradient lacks.
    #[must_use]
    pub fn differentiates_inside(&self) -> bool {
        self.inner.recorded.differentiates_inside
    }

    /// Whether the loss depends on any of the data that was marked.
    #[must_use]
    pub fn depends_on_data(&self) -> bool {
        let recorded = &self.inner.recorded;
        let ancestors = recorded.graph.ancestors(&[recorded.loss]);
        let mut data = recorded.data.iter().flatten();
        data.any(|data| ancestors.contains(data))
    }

    /// Whether the loss stops a gradient by [`stop_gradient`](crate::stop_gradient): its gradient is
    /// then not that of its value.
    #[must_use]
    pub fn stops_gradient(&self) -> bool {
        let recorded = &self.inner.recorded;
        let ancestors = recorded.graph.ancestors(&[recorded.loss]);
        ancestors
            .into_iter()
            .any(|id| *recorded.graph.primitive(id) == Primitive::Stop)
    }

    /// The shape of the marked outputs f; the first axis counts the examples where there is one
    /// loss term for each.
    #[must_use]
    pub fn output_shape(&self) -> Option<&[usize]> {
        let recorded = &self.inner.recorded;
        Some(recorded.graph.shape(recorded.outputs?))
    }

    /// The same loss, of which nothing is kept between calls: what depends on the batch alone is
    /// computed anew each time, which saves memory where calls are few.
    #[must_use]
    pub fn keeping_nothing(mut self) -> Self {
        self.data = Arc::new(self.data.keeping_nothing());
        self
    }

    /// Whether both run the same programs, each on its own data; see
    /// [`ProgramCache`](crate::ProgramCache).
    #[must_use]
    pub fn shares_programs_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Bytes of the largest tensor that evaluating the loss makes: what a batch is cut by, so that it
    /// fits the cache.
    #[must_use]
    pub fn largest_value(&self) -> usize {
        self.programs().value(self.recorded()).largest()
    }

    /// theta of the model that was captured, `[P]`.
    #[must_use]
    pub fn origin(&self) -> Tensor<1> {
        let device = self.device().as_dispatch();
        let blocks = self
            .origin
            .iter()
            .map(|data| Dispatch::float_from_data(data.clone(), device))
            .collect();
        self.join(blocks)
    }

    /// L(theta). Cost: a forward pass.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn value(&self, theta: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.programs().value(self.recorded());
        let outputs = self.at_point(plan, theta)?;
        Ok(number(&outputs[0]))
    }

    /// L and its gradient, `[P]`. Cost: a forward and a backward pass.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn gradient(&self, theta: &Tensor<1>) -> Result<(f64, Tensor<1>), Error> {
        let plan = self.programs().gradient(self.recorded());
        let mut outputs = self.at_point(plan, theta)?;
        let value = number(&outputs.remove(0));
        Ok((value, self.join(outputs)))
    }

    /// L and its derivative along `v`, $\nabla L(\theta)^T v$. Cost: two forward passes.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn jvp(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<(f64, f64), Error> {
        let plan = self.programs().jvp(self.recorded());
        let outputs = self.along(plan, theta, v)?;
        Ok((number(&outputs[0]), number(&outputs[1])))
    }

    /// $H v$ with the Hessian $H = \nabla^2 L(\theta)$, `[P]`. Cost: about two gradients; several
    /// products at one point are cheaper through [`linearize`](Self::linearize).
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vector(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.hessian_plan()?, theta, v)?;
        Ok(self.join(outputs))
    }

    /// Where the time of [`hessian_vector`](Self::hessian_vector) goes: for each operation with its
    /// shape, the time it took and how often it ran, the longest first. For looking at, not for
    /// parsing.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_times(
        &self,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<Vec<(String, Duration, usize)>, Error> {
        let (point, tangent) = (self.split(theta)?, self.split(v)?);
        let slots: [(Set, &[DispatchTensor]); 2] = [(Set::POINT, &point), (Set::TANGENT, &tangent)];
        let mut times = Profile::default();
        self.hessian_plan()?
            .once(&self.data, &slots, Some(&mut times));
        Ok(times.sorted())
    }

    /// $v^T H v$ by two forward derivatives. Cost: about three forward passes.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_form(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.programs().quadratic(self.recorded());
        let outputs = self.along(plan, theta, v)?;
        Ok(number(&outputs[0]))
    }

    /// $J^T H_f J v$ with the Jacobian J of the marked outputs f and the Hessian $H_f$ of the loss
    /// in them, `[P]`.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_vector(
        &self,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.gauss_newton_plan()?, theta, v)?;
        Ok(self.join(outputs))
    }

    /// $F v$ with the empirical Fisher matrix $F = \frac1N \sum_n g_n g_n^T$, `[P]`, of a loss that
    /// is the mean of N terms with gradients $g_n$. No $g_n$ is made.
    ///
    /// The first axis of the marked outputs f counts the examples, and the n-th term is a function of
    /// the n-th row alone. With $c = \partial L / \partial f$ it is $g_n = N J^T (e_n \cdot c)$, so
    /// $F v = J^T (s \cdot c)$, $s_n = g_n^T v = N \langle c_n, (J v)_n \rangle$. Outputs that are
    /// coupled, by the statistics of a batch, are no obstacle. Cost: about that of a Gauss-Newton
    /// product.
    ///
    /// This is not the Fisher information of the model, whose gradients are those of labels drawn from
    /// the model's own prediction: for the cross entropy of a softmax, and for squared errors up to
    /// their scale, that one is the Gauss-Newton matrix. The two agree where the model fits the labels
    /// in distribution, and may differ in everything elsewhere (Kunstner, Balles, Hennig 2019).
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them, a vector of
    /// another length than P.
    ///
    /// # References
    /// Kunstner, Balles, Hennig 2019, "Limitations of the Empirical Fisher Approximation for Natural
    /// Gradient Descent".
    pub fn fisher_vector(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.linear(Linear::Fisher)?, theta, v)?;
        Ok(self.join(outputs))
    }

    /// The marked outputs f flattened, row-major. Cost: a forward pass.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn outputs(&self, theta: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.programs().outputs(self.recorded())?;
        Ok(flat(self.at_point(plan, theta)?.remove(0)))
    }

    /// $J v$ with the Jacobian J of the marked outputs, flattened as [`outputs`](Self::outputs).
    /// Cost: two forward passes.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn outputs_jvp(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let mut outputs = self.along(self.linear(Linear::Push)?, theta, v)?;
        Ok(flat(outputs.remove(0)))
    }

    /// $J^T u$, `[P]`, with the Jacobian J of the marked outputs and u as long as
    /// [`outputs`](Self::outputs). Cost: a forward and a backward pass.
    ///
    /// # Errors
    /// Outputs that were not marked, vectors of another length than P and the outputs'.
    pub fn vjp(&self, theta: &Tensor<1>, u: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.linear(Linear::Pull)?;
        let shape = self.output_shape().ok_or(Error::NoOutputs)?;
        let (expected, found) = (elements(shape), u.dims()[0]);
        if found != expected {
            return Err(Error::Length { expected, found });
        }
        let u = Dispatch::float_reshape(self.adopt(u).into_dispatch(), shape.to_vec().into());
        Ok(self.join(self.along_slots(plan, theta, &[u])?))
    }

    /// The loss at one point, with all that does not depend on a tangent computed and kept: each
    /// product then costs the rest only.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn linearize(&self, theta: &Tensor<1>) -> Result<Linearized, Error> {
        let point = self.split(theta)?;
        Ok(Linearized::new(self.clone(), point))
    }

    fn at_point(&self, plan: &Plan, theta: &Tensor<1>) -> Result<Vec<DispatchTensor>, Error> {
        let point = self.split(theta)?;
        Ok(plan.once(&self.data, &[(Set::POINT, &point)], None))
    }

    fn along(
        &self,
        plan: &Plan,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<Vec<DispatchTensor>, Error> {
        self.along_slots(plan, theta, &self.split(v)?)
    }

    fn along_slots(
        &self,
        plan: &Plan,
        theta: &Tensor<1>,
        tangent: &[DispatchTensor],
    ) -> Result<Vec<DispatchTensor>, Error> {
        let point = self.split(theta)?;
        let slots: [(Set, &[DispatchTensor]); 2] = [(Set::POINT, &point), (Set::TANGENT, tangent)];
        Ok(plan.once(&self.data, &slots, None))
    }

    /// The values of `plan` that depend on theta only.
    pub(crate) fn kept(&self, plan: &Plan, point: &[DispatchTensor]) -> PlanValues {
        plan.advance(&plan.start(&self.data), Set::POINT, point)
    }

    pub(crate) fn data(&self) -> &CapturedData {
        &self.data
    }

    pub(crate) const fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) fn with_programs(mut self, inner: Arc<Inner>) -> Self {
        self.inner = inner;
        self
    }

    /// $H v$, and as a second group $v^T H v$.
    pub(crate) fn curvature_plan(&self) -> &Plan {
        self.programs().curvature(self.recorded())
    }

    pub(crate) fn hessian_plan(&self) -> Result<&Plan, Error> {
        self.linear(Linear::Hessian)
    }

    pub(crate) fn gauss_newton_plan(&self) -> Result<&Plan, Error> {
        self.linear(Linear::GaussNewton)
    }

    pub(crate) fn linear(&self, map: Linear) -> Result<&Plan, Error> {
        self.programs().linear(self.recorded(), map)
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.inner.programs
    }

    pub(crate) fn recorded(&self) -> &Recorded {
        &self.inner.recorded
    }

    /// Shape of each parameter.
    pub(crate) fn blocks(&self) -> &[Vec<usize>] {
        &self.inner.blocks
    }
}

/// A tensor as a vector.
fn flat(tensor: DispatchTensor) -> Tensor<1> {
    let len = burn_backend::TensorMetadata::shape(&tensor).num_elements();
    Tensor::from_dispatch(Dispatch::float_reshape(tensor, [len].into()))
}

/// The one entry of a tensor.
pub(crate) fn number(tensor: &DispatchTensor) -> f64 {
    let data = Tensor::<1>::from_dispatch(tensor.clone()).into_data();
    data.iter::<f64>().next().unwrap_or(f64::NAN)
}
