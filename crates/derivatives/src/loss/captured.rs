//! A captured loss and its derivatives.

use std::sync::Arc;
use std::time::Duration;

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use super::programs::Programs;
use super::vectors::flat;
use crate::Error;
use crate::graph::{Recorded, Set, elements};
use crate::primitive::Primitive;
use crate::run::CapturedData;
use crate::run::Plan;
use crate::run::Profile;
use crate::transform::Linear;

/// A loss L of the parameters θ, as a program; the batch is part of it.
///
/// Vectors are flat, `[P]`: the captured parameters in order, each row-major. They stand on the
/// device and have the type of the parameters. Programs are made at their first use, and what does
/// not depend on θ is computed once. Cheap to clone; the clones share the programs.
#[derive(Debug, Clone)]
pub struct CapturedLoss {
    programs: Arc<Programs>,
    data: Arc<CapturedData>,
    origin: Arc<Vec<TensorData>>,
}

impl CapturedLoss {
    pub(crate) fn new(mut recorded: Recorded, origin: Arc<Vec<TensorData>>) -> Result<Self, Error> {
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
        let data = CapturedData::new(graph.constants().to_vec());
        recorded.graph = std::mem::take(&mut recorded.graph).without_data();
        Ok(Self {
            programs: Arc::new(Programs::new(recorded)),
            data: Arc::new(data),
            origin,
        })
    }

    /// Returns the number P of parameter entries.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.programs.dim()
    }

    /// Returns the float type of θ.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.programs.recorded().dtype()
    }

    /// Returns the device on which θ stands and programs run.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.programs.recorded().device
    }

    /// Returns whether the model's outputs were marked, so that Gauss-Newton products are possible.
    #[must_use]
    pub fn has_outputs(&self) -> bool {
        self.output_shape().is_some()
    }

    /// Returns whether the loss takes a derivative inside
    /// ([`input_gradient`](crate::input_gradient)), which Burn's gradient lacks.
    #[must_use]
    pub fn differentiates_inside(&self) -> bool {
        self.programs.recorded().differentiates_inside
    }

    /// Returns whether the loss depends on any of the data that was marked.
    #[must_use]
    pub fn depends_on_data(&self) -> bool {
        let recorded = self.programs.recorded();
        let ancestors = recorded.graph.ancestors(&[recorded.loss]);
        let mut data = recorded.data.iter().flatten();
        data.any(|data| ancestors.contains(data))
    }

    /// Returns whether the loss stops a gradient by [`stop_gradient`](crate::stop_gradient): its
    /// gradient is then not that of its value.
    #[must_use]
    pub fn stops_gradient(&self) -> bool {
        let recorded = self.programs.recorded();
        let ancestors = recorded.graph.ancestors(&[recorded.loss]);
        ancestors
            .into_iter()
            .any(|id| *recorded.graph.primitive(id) == Primitive::Stop)
    }

    /// Returns the shape of the marked outputs f; the first axis counts the examples where there is
    /// one loss term for each.
    #[must_use]
    pub fn output_shape(&self) -> Option<&[usize]> {
        let recorded = self.programs.recorded();
        Some(recorded.graph.shape(recorded.outputs?))
    }

    /// Returns the same loss, of which nothing is kept between calls: what depends on the batch
    /// alone is computed anew each time, which saves memory where calls are few.
    #[must_use]
    pub fn keeping_nothing(mut self) -> Self {
        self.data = Arc::new(self.data.keeping_nothing());
        self
    }

    /// Returns whether both run the same programs, each on its own data; see
    /// [`ProgramCache`](crate::ProgramCache).
    #[must_use]
    pub fn shares_programs_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.programs, &other.programs)
    }

    /// Returns the bytes of the largest tensor that evaluating the loss makes, by which a batch is
    /// cut so that it fits the cache.
    #[must_use]
    pub fn largest_value(&self) -> usize {
        self.programs.value().largest()
    }

    /// Returns θ of the model that was captured, `[P]`.
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

    /// Returns L(θ). Cost: a forward pass.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn value(&self, theta: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.programs.value();
        let outputs = self.at_point(plan, theta)?;
        Ok(number(&outputs[0]))
    }

    /// Returns L and its gradient, `[P]`. Cost: a forward and a backward pass.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn gradient(&self, theta: &Tensor<1>) -> Result<(f64, Tensor<1>), Error> {
        let plan = self.programs.gradient();
        let mut outputs = self.at_point(plan, theta)?;
        let value = number(&outputs.remove(0));
        Ok((value, self.join(outputs)))
    }

    /// Returns L and its derivative along `v`, `∇L(θ)ᵀ v`. Cost: two forward passes.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn jvp(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<(f64, f64), Error> {
        let plan = self.programs.jvp();
        let outputs = self.along(plan, theta, v)?;
        Ok((number(&outputs[0]), number(&outputs[1])))
    }

    /// Returns `H v` with the Hessian `H = ∇²L(θ)`, `[P]`. Cost: about two gradients; several
    /// products at one point are cheaper through [`linearize`](Self::linearize).
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vector(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.programs.linear(Linear::Hessian)?, theta, v)?;
        Ok(self.join(outputs))
    }

    /// Returns for each operation of [`hessian_vector`](Self::hessian_vector) with its shape the
    /// time it took and how often it ran, the longest first. For looking at, not for parsing.
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
        self.programs
            .linear(Linear::Hessian)?
            .once(&self.data, &slots, Some(&mut times));
        Ok(times.sorted())
    }

    /// Returns `vᵀHv`, by two forward derivatives. Cost: about three forward passes.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_form(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.programs.quadratic();
        let outputs = self.along(plan, theta, v)?;
        Ok(number(&outputs[0]))
    }

    /// Returns `Jᵀ H_f J v`, `[P]`, with the Jacobian J of the marked outputs f and the Hessian
    /// `H_f` of the loss in them.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_vector(
        &self,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.programs.linear(Linear::GaussNewton)?, theta, v)?;
        Ok(self.join(outputs))
    }

    /// Returns `F v`, `[P]`, with the empirical Fisher matrix `F = 1/N Σₙ gₙ gₙᵀ` of a loss that is
    /// the mean of N terms with gradients gₙ. No gₙ is made.
    ///
    /// The first axis of the marked outputs f counts the examples, and the n-th term is a function
    /// of the n-th row alone. With `c = ∂L/∂f` it is `gₙ = N Jᵀ (eₙ · c)`, so `F v = Jᵀ (s · c)`
    /// with `sₙ = gₙᵀ v = N ⟨cₙ, (J v)ₙ⟩`. Outputs that are coupled, by the statistics of a batch,
    /// are no obstacle. Cost: about that of a Gauss-Newton product.
    ///
    /// This is not the Fisher information of the model, whose gradients are those of labels drawn
    /// from the model's own prediction: for the cross entropy of a softmax, and for squared errors
    /// up to their scale, that one is the Gauss-Newton matrix. The two agree where the model fits
    /// the labels in distribution, and may differ in everything elsewhere (Kunstner, Balles, Hennig
    /// 2019).
    ///
    /// # Errors
    /// Outputs that were not marked, a loss that depends on the parameters beside them, a vector of
    /// another length than P.
    ///
    /// # References
    /// Kunstner, Balles, Hennig 2019, "Limitations of the Empirical Fisher Approximation for
    /// Natural Gradient Descent".
    pub fn fisher_vector(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.programs.linear(Linear::Fisher)?, theta, v)?;
        Ok(self.join(outputs))
    }

    /// Returns `vᵀGv = (J v)ᵀ H_f (J v)` with the Gauss-Newton matrix G, by a forward derivative.
    /// Cost: about two forward passes.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn gauss_newton_form(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.programs.linear(Linear::GaussNewtonForm)?;
        Ok(number(&self.along(plan, theta, v)?[0]))
    }

    /// Returns `vᵀFv = 1/N Σₙ (gₙᵀ v)²` with the empirical Fisher matrix F of
    /// [`fisher_vector`](Self::fisher_vector), by a forward derivative. Cost: about two forward
    /// passes.
    ///
    /// # Errors
    /// As [`fisher_vector`](Self::fisher_vector).
    pub fn fisher_form(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<f64, Error> {
        let plan = self.programs.linear(Linear::FisherForm)?;
        Ok(number(&self.along(plan, theta, v)?[0]))
    }

    /// Returns the marked outputs f flattened, row-major. Cost: a forward pass.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn outputs(&self, theta: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.programs.outputs()?;
        Ok(flat(self.at_point(plan, theta)?.remove(0)))
    }

    /// Returns `J v` with the Jacobian J of the marked outputs, flattened as
    /// [`outputs`](Self::outputs). Cost: two forward passes.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than P.
    pub fn outputs_jvp(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let mut outputs = self.along(self.programs.linear(Linear::Push)?, theta, v)?;
        Ok(flat(outputs.remove(0)))
    }

    /// Returns `Jᵀ u`, `[P]`, with the Jacobian J of the marked outputs and u as long as
    /// [`outputs`](Self::outputs). Cost: a forward and a backward pass.
    ///
    /// # Errors
    /// Outputs that were not marked, vectors of another length than P and the outputs'.
    pub fn vjp(&self, theta: &Tensor<1>, u: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let plan = self.programs.linear(Linear::Pull)?;
        let shape = self.output_shape().ok_or(Error::NoOutputs)?;
        let (expected, found) = (elements(shape), u.dims()[0]);
        if found != expected {
            return Err(Error::Length { expected, found });
        }
        let u = Dispatch::float_reshape(self.adopt(u).into_dispatch(), shape.to_vec().into());
        Ok(self.join(self.along_slots(plan, theta, &[u])?))
    }

    pub(super) fn at_point(
        &self,
        plan: &Plan,
        theta: &Tensor<1>,
    ) -> Result<Vec<DispatchTensor>, Error> {
        let point = self.split(theta)?;
        Ok(plan.once(&self.data, &[(Set::POINT, &point)], None))
    }

    pub(super) fn along(
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

    pub(crate) fn data(&self) -> &CapturedData {
        &self.data
    }

    pub(crate) const fn programs(&self) -> &Arc<Programs> {
        &self.programs
    }

    /// Returns the same loss with the programs of `other`, which are equal, and with its copy of θ
    /// where that is too.
    pub(crate) fn sharing_with(mut self, other: &Self) -> Self {
        self.programs = Arc::clone(&other.programs);
        if self.origin == other.origin {
            self.origin = Arc::clone(&other.origin);
        }
        self
    }

    /// Returns the same loss without its data and without what is kept of it.
    pub(crate) fn without_data(&self) -> Self {
        Self {
            data: Arc::new(CapturedData::new(Vec::new())),
            ..self.clone()
        }
    }
}

/// Returns the one entry of a tensor.
pub(crate) fn number(tensor: &DispatchTensor) -> f64 {
    let data = Tensor::<1>::from_dispatch(tensor.clone()).into_data();
    data.iter::<f64>().next().expect("a number has one entry")
}
