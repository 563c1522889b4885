//! PyTorch's SGD and Adam for Burn, with every constant in float64.
//!
//! Burn keeps momentum, betas and epsilon in float32 and computes Adam's bias correction there.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, ElementConversion, Tensor};

/// `torch.optim.SGD` with momentum, no dampening, no Nesterov, no weight decay.
#[derive(Debug, Clone)]
pub(crate) struct TorchSgd {
    pub(crate) momentum: f64,
}

/// `torch.optim.Adam` with no weight decay and no AMSGrad.
#[derive(Debug, Clone)]
pub(crate) struct TorchAdam {
    pub(crate) betas: [f64; 2],
    pub(crate) epsilon: f64,
    /// 1 - beta^k, by which the moments after k steps are divided.
    pub(crate) correction: fn(f64, i32) -> f64,
}

impl TorchAdam {
    /// All in float64 but the betas, which are rounded to float32 first.
    pub(crate) fn with_float32_betas() -> Self {
        let exact = Self::default();
        Self {
            betas: exact.betas.map(|beta| f64::from(beta.elem::<f32>())),
            ..exact
        }
    }

    /// The same, and the correction 1 - beta^k computed in float32.
    pub(crate) fn with_float32_betas_and_correction() -> Self {
        let correction = |beta: f64, steps| f64::from(1.0 - beta.elem::<f32>().powi(steps));
        Self {
            correction,
            ..Self::with_float32_betas()
        }
    }
}

impl Default for TorchAdam {
    fn default() -> Self {
        Self {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            correction: |beta, steps| 1.0 - beta.powi(steps),
        }
    }
}

/// The moments of one parameter after a number of steps. It is not recorded.
#[derive(Debug, Clone)]
pub(crate) struct Moments<const D: usize> {
    steps: i32,
    moments: Vec<Tensor<D>>,
}

impl<const D: usize> RecordState for Moments<D> {
    fn state_flatten(&self, _prefix: &str, _out: &mut StateSink) {}

    fn state_unflatten(_prefix: &str, _src: &mut StateSource, _device: &Device) -> Option<Self> {
        None
    }
}

fn moved<const D: usize>(mut state: Moments<D>, device: &Device) -> Moments<D> {
    state.moments = state
        .moments
        .into_iter()
        .map(|moment| moment.to_device(device))
        .collect();
    state
}

impl Optimizer for TorchSgd {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        // The first buffer is the gradient itself.
        let (steps, buffer) = match state {
            None => (1, grad),
            Some(mut state) => {
                let buffer = state.moments.remove(0);
                (state.steps + 1, buffer.mul_scalar(self.momentum) + grad)
            }
        };
        let tensor = tensor - buffer.clone().mul_scalar(lr);
        (
            tensor,
            Some(Moments {
                steps,
                moments: vec![buffer],
            }),
        )
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        moved(state, device)
    }
}

impl Optimizer for TorchAdam {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let [beta1, beta2] = self.betas;
        let (steps, m, s) = match state {
            None => (1, grad.zeros_like(), grad.zeros_like()),
            Some(mut state) => {
                let s = state.moments.remove(1);
                (state.steps + 1, state.moments.remove(0), s)
            }
        };
        let m = m.mul_scalar(beta1) + grad.clone().mul_scalar(1.0 - beta1);
        let s = s.mul_scalar(beta2) + grad.square().mul_scalar(1.0 - beta2);
        let mean = m.clone().div_scalar((self.correction)(beta1, steps));
        let size = s.clone().div_scalar((self.correction)(beta2, steps)).sqrt();
        let size = size.add_scalar(self.epsilon);
        let tensor = tensor - (mean / size).mul_scalar(lr);
        (
            tensor,
            Some(Moments {
                steps,
                moments: vec![m, s],
            }),
        )
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        moved(state, device)
    }
}
