//! A captured loss and its derivatives.

use std::sync::{Arc, OnceLock};

use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use crate::Error;
use crate::graph::{Graph, NodeId, Set, elements};
use crate::linearized::Linearized;
use crate::plan::{Plan, Values};
use crate::transform::{gradient, jvp, vjp};

/// A loss L of the parameters theta, as a program; the batch is part of it.
///
/// Vectors are flat, `[P]`: the captured parameters in order, each row-major. They stand on the
/// device and have the type of the parameters. Programs are made at their first use, and what does
/// not depend on theta is computed once. Cheap to clone; the clones share the programs.
#[derive(Debug, Clone)]
pub struct CapturedLoss {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    graph: Graph,
    loss: NodeId,
    outputs: Option<NodeId>,
    parameters: Vec<NodeId>,
    blocks: Vec<Vec<usize>>,
    dim: usize,
    dtype: DType,
    device: Device,
    origin: Vec<TensorData>,
    value: OnceLock<Plan>,
    gradient: OnceLock<Plan>,
    jvp: OnceLock<Plan>,
    hessian: OnceLock<Plan>,
    quadratic: OnceLock<Plan>,
    gauss_newton: OnceLock<Plan>,
}

impl CapturedLoss {
    pub(crate) fn new(
        graph: Graph,
        loss: NodeId,
        outputs: Option<NodeId>,
        parameters: Vec<NodeId>,
        origin: Vec<TensorData>,
        device: Device,
    ) -> Result<Self, Error> {
        let ancestors = graph.ancestors(&[loss]);
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
        let dtype = graph.dtype(parameters[0]);
        Ok(Self {
            inner: Arc::new(Inner {
                graph,
                loss,
                outputs,
                parameters,
                blocks,
                dim,
                dtype,
                device,
                origin,
                value: OnceLock::new(),
                gradient: OnceLock::new(),
                jvp: OnceLock::new(),
                hessian: OnceLock::new(),
                quadratic: OnceLock::new(),
                gauss_newton: OnceLock::new(),
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
        self.inner.dtype
    }

    /// Where theta stands and programs run.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.inner.device
    }

    /// Whether the model's outputs were marked, so that Gauss-Newton products are possible.
    #[must_use]
    pub fn has_outputs(&self) -> bool {
        self.inner.outputs.is_some()
    }

    /// theta of the model that was captured, `[P]`.
    #[must_use]
    pub fn origin(&self) -> Tensor<1> {
        let device = self.inner.device.as_dispatch();
        let blocks = self
            .inner
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
        let plan = self.inner.value_plan();
        let outputs = self.at_point(plan, theta)?;
        Ok(number(&outputs[0]))
    }

    /// L and its gradient, `[P]`. Cost: a forward and a backward pass.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn gradient(&self, theta: &Tensor<1>) -> Result<(f64, Tensor<1>), Error> {
        let plan = self.inner.gradient_plan();
        let mut outputs = self.at_point(plan, theta)?;
        let value = number(&outputs.remove(0));
        Ok((value, self.join(outputs)))
    }

    /// L and its derivative along `v`, $\nabla L(\theta)^T v$. Cost: two forward passes.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn jvp(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<(f64, f64), Error> {
        let outputs = self.along(self.inner.jvp_plan(), theta, v)?;
        Ok((number(&outputs[0]), number(&outputs[1])))
    }

    /// $H v$ with the Hessian $H = \nabla^2 L(\theta)$, `[P]`. Cost: about two gradients; several
    /// products at one point are cheaper through [`linearize`](Self::linearize).
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn hessian_vector(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let outputs = self.along(self.inner.hessian_plan(), theta, v)?;
        Ok(self.join(outputs))
    }

    /// $v^T H v$ by two forward derivatives. Cost: about three forward passes.
    ///
    /// # Errors
    /// A vector of another length than P.
    pub fn quadratic_form(&self, theta: &Tensor<1>, v: &Tensor<1>) -> Result<f64, Error> {
        let outputs = self.along(self.inner.quadratic_plan(), theta, v)?;
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
        let plan = self.inner.gauss_newton_plan().ok_or(Error::NoOutputs)?;
        let outputs = self.along(plan, theta, v)?;
        Ok(self.join(outputs))
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
        let values = self.kept(plan, &self.split(theta)?);
        Ok(plan.outputs(&values))
    }

    fn along(
        &self,
        plan: &Plan,
        theta: &Tensor<1>,
        v: &Tensor<1>,
    ) -> Result<Vec<DispatchTensor>, Error> {
        let values = self.kept(plan, &self.split(theta)?);
        let values = plan.advance(&values, Set::TANGENT, &self.split(v)?);
        Ok(plan.outputs(&values))
    }

    /// The values of `plan` that depend on theta only.
    pub(crate) fn kept(&self, plan: &Plan, point: &[DispatchTensor]) -> Values {
        plan.advance(plan.start(), Set::POINT, point)
    }

    pub(crate) fn hessian_plan(&self) -> &Plan {
        self.inner.hessian_plan()
    }

    pub(crate) fn gauss_newton_plan(&self) -> Result<&Plan, Error> {
        self.inner.gauss_newton_plan().ok_or(Error::NoOutputs)
    }

    /// A flat vector as one tensor for each parameter.
    pub(crate) fn split(&self, vector: &Tensor<1>) -> Result<Vec<DispatchTensor>, Error> {
        let expected = self.inner.dim;
        let found = vector.dims()[0];
        if found != expected {
            return Err(Error::Length { expected, found });
        }
        let vector = vector.clone().without_autodiff();
        let vector = vector.to_device(&self.inner.device);
        let vector = match self.inner.dtype {
            DType::F64 => vector.cast(burn::tensor::FloatDType::F64),
            _ => vector.cast(burn::tensor::FloatDType::F32),
        };
        let mut start = 0;
        Ok(self
            .inner
            .blocks
            .iter()
            .map(|shape| {
                let end = start + elements(shape);
                let part = vector.clone().slice_dim(0, start..end).into_dispatch();
                start = end;
                Dispatch::float_reshape(part, shape.clone().into())
            })
            .collect())
    }

    /// The inverse of [`split`](Self::split).
    pub(crate) fn join(&self, blocks: Vec<DispatchTensor>) -> Tensor<1> {
        let flat = blocks
            .into_iter()
            .zip(&self.inner.blocks)
            .map(|(block, shape)| Dispatch::float_reshape(block, [elements(shape)].into()))
            .collect();
        Tensor::from_dispatch(Dispatch::float_cat(flat, 0))
    }
}

impl Inner {
    fn plan(&self, graph: &Graph, outputs: &[NodeId]) -> Plan {
        Plan::new(graph, outputs, self.device.as_dispatch())
    }

    /// The parameters with the tangent v.
    fn seeds(&self, graph: &mut Graph) -> Vec<(NodeId, NodeId)> {
        self.parameters
            .iter()
            .zip(&self.blocks)
            .enumerate()
            .map(|(index, (&parameter, shape))| {
                let v = graph.slot(Set::TANGENT, index, shape.clone(), self.dtype);
                (parameter, v)
            })
            .collect()
    }

    /// The tangents of `targets`, zeros written out.
    fn tangents(graph: &mut Graph, seeds: &[(NodeId, NodeId)], targets: &[NodeId]) -> Vec<NodeId> {
        jvp(graph, seeds, targets)
            .into_iter()
            .zip(targets)
            .map(|(tangent, &target)| tangent.unwrap_or_else(|| graph.fill(0.0, target)))
            .collect()
    }

    fn value_plan(&self) -> &Plan {
        self.value
            .get_or_init(|| self.plan(&self.graph, &[self.loss]))
    }

    fn gradient_plan(&self) -> &Plan {
        self.gradient.get_or_init(|| {
            let mut graph = self.graph.clone();
            let mut outputs = vec![self.loss];
            outputs.extend(gradient(&mut graph, self.loss, &self.parameters));
            self.plan(&graph, &outputs)
        })
    }

    fn jvp_plan(&self) -> &Plan {
        self.jvp.get_or_init(|| {
            let mut graph = self.graph.clone();
            let seeds = self.seeds(&mut graph);
            let tangents = Self::tangents(&mut graph, &seeds, &[self.loss]);
            self.plan(&graph, &[self.loss, tangents[0]])
        })
    }

    fn hessian_plan(&self) -> &Plan {
        self.hessian.get_or_init(|| {
            let mut graph = self.graph.clone();
            let gradient = gradient(&mut graph, self.loss, &self.parameters);
            let seeds = self.seeds(&mut graph);
            let product = Self::tangents(&mut graph, &seeds, &gradient);
            self.plan(&graph, &product)
        })
    }

    fn quadratic_plan(&self) -> &Plan {
        self.quadratic.get_or_init(|| {
            let mut graph = self.graph.clone();
            let seeds = self.seeds(&mut graph);
            let first = Self::tangents(&mut graph, &seeds, &[self.loss]);
            let second = Self::tangents(&mut graph, &seeds, &first);
            self.plan(&graph, &second)
        })
    }

    fn gauss_newton_plan(&self) -> Option<&Plan> {
        let outputs = self.outputs?;
        Some(self.gauss_newton.get_or_init(|| {
            let mut graph = self.graph.clone();
            let seeds = self.seeds(&mut graph);
            // J v
            let moved = Self::tangents(&mut graph, &seeds, &[outputs])[0];
            // H_f J v: the derivative of the gradient in f along J v
            let slope = gradient(&mut graph, self.loss, &[outputs]);
            let curved = Self::tangents(&mut graph, &[(outputs, moved)], &slope)[0];
            let product = vjp(&mut graph, &[(outputs, curved)], &self.parameters);
            self.plan(&graph, &product)
        }))
    }
}

/// The one entry of a tensor.
pub(crate) fn number(tensor: &DispatchTensor) -> f64 {
    let data = Tensor::<1>::from_dispatch(tensor.clone()).into_data();
    data.iter::<f64>().next().unwrap_or(f64::NAN)
}
