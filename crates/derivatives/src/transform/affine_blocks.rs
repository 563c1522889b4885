//! In which parameters the outputs of a model are affine.
//!
//! With the loss `L = ℓ(f(θ))`, θᵢ the entries of one parameter and all others fixed,
//!
//! ```text
//! ∂²L/∂θᵢ² = Jᵢᵀ H_f Jᵢ + Σ_c ∂ℓ/∂f_c ∂²f_c/∂θᵢ²
//! ```
//!
//! Where f is affine in θᵢ the second term is zero: the Hessian's diagonal block of θᵢ, and with it
//! its diagonal, is that of the Gauss-Newton matrix.
//!
//! Whether f is affine is asked of the rules that make the Hessian itself: `∂²f/∂θᵢ²` is taken as
//! the second forward derivative along a direction of θᵢ that is only a name, and f is affine where
//! nothing is left of it. There is no second set of rules that could disagree. What the graph does
//! not show (terms that cancel) is not claimed. Pieces count as affine, as those of ReLU, max
//! pooling and masks: at a kink the second derivative is the one of Burn's, zero.

use super::jvp;
use crate::Error;
use crate::graph::{Recorded, Set};

impl Recorded {
    /// Returns for each parameter whether the marked outputs are affine in it for fixed others, and
    /// the loss depends on it through them only.
    pub(crate) fn affine_blocks(&self) -> Result<Vec<bool>, Error> {
        let f = self.outputs.ok_or(Error::NoOutputs)?;
        let is_affine = |(index, &parameter): (usize, _)| {
            let mut graph = self.graph.clone();
            if self.is_moved_beside(&graph, f, &[parameter]) {
                return false;
            }
            let (shape, dtype) = (graph.shape(parameter).to_vec(), graph.dtype(parameter));
            let direction = graph.slot(Set::TANGENT, index, shape, dtype);
            let seeds = [(parameter, direction)];
            let Some(first) = jvp(&mut graph, &seeds, &[f])[0] else {
                return true;
            };
            jvp(&mut graph, &seeds, &[first])[0].is_none()
        };
        Ok(self.parameters.iter().enumerate().map(is_affine).collect())
    }
}
