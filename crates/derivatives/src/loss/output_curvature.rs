//! The loss's Hessian in the outputs, and what the single rows give to a gradient: the diagonal of
//! the Gauss-Newton matrix is made of both.

use std::sync::OnceLock;

use burn::tensor::{Tensor, TensorData};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use crate::graph::{Set, elements};
use crate::primitive::upload;
use crate::run::{Plan, PlanValues};
use crate::transform::Linear;
use crate::{CapturedLoss, Error, Linearized};

/// The Hessian of a loss in the marked outputs of a model, in blocks.
///
/// The loss keeps the N rows of the outputs apart, and perhaps more: of outputs `[N, T, C]` of
/// which each position has a loss of its own, `N T` blocks of `C × C` are all there is.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputCurvature {
    /// Number of rows N.
    pub rows: usize,
    /// Number of blocks in a row.
    pub positions: usize,
    /// Number of outputs in a block.
    pub size: usize,
    /// Place in a row of each output of each block, `[positions, size]`.
    pub places: Vec<usize>,
    /// The blocks, `[rows, positions, size, size]`.
    pub values: Vec<f64>,
}

impl CapturedLoss {
    /// Returns for each parameter whether its diagonal block of the Hessian is that of the
    /// Gauss-Newton matrix because the marked outputs are affine in the parameter for fixed others,
    /// and the loss depends on it through the outputs only.
    ///
    /// Affine piece by piece is enough (ReLU, max pooling, masks). It is read off the recorded
    /// graph, whatever the numbers are: the second derivative of the outputs by the parameter,
    /// made by the rules that make the Hessian, has no term left. Where terms cancel, or a
    /// derivative is zero only at this point, it is not seen and not claimed.
    ///
    /// # Errors
    /// Outputs that were not marked.
    pub fn affine_blocks(&self) -> Result<Vec<bool>, Error> {
        self.programs().affine_blocks().map(<[bool]>::to_vec)
    }

    /// Returns the bytes of the largest tensor that [`Linearized::row_squares`] makes.
    ///
    /// # Errors
    /// Outputs that were not marked.
    pub fn largest_of_row_squares(&self) -> Result<usize, Error> {
        Ok(self.programs().linear(Linear::RowSquares)?.largest())
    }
}

impl CapturedLoss {
    /// Returns the bytes of the largest tensor that [`Linearized::row_norms`] makes.
    ///
    /// # Errors
    /// Outputs that were not marked.
    pub fn largest_of_row_norms(&self) -> Result<usize, Error> {
        Ok(self.programs().linear(Linear::RowNorms)?.largest())
    }
}

impl Linearized {
    /// Returns the blocks of the loss's Hessian in the marked outputs. Cost: a forward pass, and
    /// for each output of a block a product of the loss alone.
    ///
    /// # Errors
    /// Outputs that were not marked, [`Error::CoupledRows`].
    pub fn output_curvature(&self) -> Result<OutputCurvature, Error> {
        let loss = self.loss();
        let shape = loss.output_shape().ok_or(Error::NoOutputs)?.to_vec();
        let separate = loss.programs().separate_outputs()?;
        if separate.first() == Some(&false) {
            return Err(Error::CoupledRows);
        }
        let rows = shape[0];
        let row = elements(&shape[1..]);
        let places = places(&shape[1..], &separate[1..]);
        let size = places.first().map_or(0, Vec::len);
        let positions = places.len();
        let plan = loss.programs().linear(Linear::OutputHessian)?;
        let kept = self.at_point(plan);
        let mut values = vec![0.0; rows * positions * size * size];
        for column in 0..size {
            let mut unit = vec![0.0; rows * row];
            for places in &places {
                for n in 0..rows {
                    unit[n * row + places[column]] = 1.0;
                }
            }
            let unit = upload(
                TensorData::new(unit, shape.clone()).convert_dtype(loss.dtype()),
                loss.device().as_dispatch(),
            );
            let product = plan.group(0, &kept, &[unit], None).remove(0);
            let product = numbers(product, rows * row);
            for n in 0..rows {
                for (position, places) in places.iter().enumerate() {
                    let block = (n * positions + position) * size * size;
                    for (line, place) in places.iter().enumerate() {
                        values[block + line * size + column] = product[n * row + place];
                    }
                }
            }
        }
        Ok(OutputCurvature {
            rows,
            positions,
            size,
            places: places.concat(),
            values,
        })
    }

    /// Returns `Σₙ (Jₙᵀ uₙ)²`, `[P]`, squared entry by entry, for the N rows of the marked outputs:
    /// `Jₙ` is the Jacobian of row n, and u is as long as [`CapturedLoss::outputs`].
    ///
    /// With columns `s_nc` of square roots of the loss's Hessian in the rows, the sum over c is the
    /// diagonal of the Gauss-Newton matrix. Nothing is assumed of the model: rows may touch each
    /// other. Cost: a backward pass where each example has a row of its own and they do not touch;
    /// weights of linear layers then cost two products, and those that are used several times in
    /// an example, as those of convolutions, the memory of a gradient for each example. Where rows
    /// touch, N backward passes.
    ///
    /// # Errors
    /// Outputs that were not marked, a vector of another length than the outputs.
    pub fn row_squares(&self, u: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let squares = self.of_rows(Linear::RowSquares, self.kept_for_squares(), u)?;
        Ok(self.loss().join(squares))
    }

    /// Returns `Σₙ ‖Jₙᵀ uₙ‖²` for each parameter tensor, in their order: the sums over its entries
    /// of what [`row_squares`](Self::row_squares) returns.
    ///
    /// For a weight of a linear layer with inputs `aₙ` and cotangents `dₙ` it is `Σₙ ‖aₙ‖² ‖dₙ‖²`,
    /// so that no product of matrices is needed beside those of the backward pass.
    ///
    /// # Errors
    /// As [`row_squares`](Self::row_squares).
    ///
    /// # References
    /// Goodfellow 2015, "Efficient per-example gradient computations".
    pub fn row_norms(&self, u: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let norms = self.of_rows(Linear::RowNorms, self.kept_for_norms(), u)?;
        Ok(Tensor::from_dispatch(Dispatch::float_cat(norms, 0)))
    }

    fn of_rows(
        &self,
        map: Linear,
        kept: &OnceLock<PlanValues>,
        u: &Tensor<1>,
    ) -> Result<Vec<DispatchTensor>, Error> {
        let loss = self.loss();
        let shape = loss.output_shape().ok_or(Error::NoOutputs)?;
        let (expected, found) = (elements(shape), u.dims()[0]);
        if found != expected {
            return Err(Error::Length { expected, found });
        }
        let plan = loss.programs().linear(map)?;
        let u = Dispatch::float_reshape(loss.adopt(u).into_dispatch(), shape.to_vec().into());
        Ok(plan.group(0, self.kept(plan, kept), &[u], None))
    }

    fn at_point(&self, plan: &Plan) -> PlanValues {
        let start = plan.start(&self.loss().data().keeping_nothing());
        plan.advance(&start, Set::POINT, self.point())
    }
}

/// Returns for each block the places of its outputs in a row of this shape: a block is at one
/// position along the axes that are `separate`, and takes in the others.
fn places(shape: &[usize], separate: &[bool]) -> Vec<Vec<usize>> {
    let mut blocks = vec![vec![0]];
    for (&len, &separate) in shape.iter().zip(separate) {
        let at = |block: &[usize], entry: usize| -> Vec<usize> {
            block.iter().map(|place| place * len + entry).collect()
        };
        blocks = if separate {
            let apart =
                |block: &Vec<usize>| (0..len).map(|entry| at(block, entry)).collect::<Vec<_>>();
            blocks.iter().flat_map(apart).collect()
        } else {
            let together =
                |block: &Vec<usize>| (0..len).flat_map(|entry| at(block, entry)).collect();
            blocks.iter().map(together).collect()
        };
    }
    blocks
}

fn numbers(tensor: DispatchTensor, len: usize) -> Vec<f64> {
    let flat = Dispatch::float_reshape(tensor, [len].into());
    let data = Tensor::<1>::from_dispatch(flat).into_data();
    data.iter::<f64>().collect()
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn blocks_take_in_the_axes_that_are_not_separate() {
        assert_eq!(places(&[2, 3], &[true, false]), [[0, 1, 2], [3, 4, 5]]);
        assert_eq!(places(&[2, 3], &[false, true]), [[0, 3], [1, 4], [2, 5]]);
        assert_eq!(places(&[2], &[true]), [[0], [1]]);
        assert_eq!(places(&[], &[]), [[0]]);
    }
}
