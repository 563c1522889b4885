//! The singular values of the weight matrices of a model.

use burn::module::Module;
use faer::Mat;

use super::power_law::{PowerLaw, power_law};
use crate::error::Error;
use crate::parameters::{Block, ParameterSpace, weights};

/// The spectrum of one weight matrix W.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightSpectrum {
    /// Path of the parameter, `conv1.weight`.
    pub path: String,
    /// Type of the layer that holds it, `Conv2d`.
    pub layer: String,
    /// Number of rows: filters.
    pub rows: usize,
    /// Number of columns: weights of a filter.
    pub columns: usize,
    /// All singular values, descending; as many as the smaller of rows and columns.
    pub singular_values: Vec<f64>,
    /// `‖W‖²_F / ‖W‖₂²`; none for a matrix of zeros.
    pub stable_rank: Option<f64>,
    /// The power law of the tail of the eigenvalues of `WᵀW`, which are the squared singular
    /// values; none where fewer than three of them differ.
    pub tail: Option<PowerLaw>,
}

impl WeightSpectrum {
    /// Returns the spectral norm `‖W‖₂`, the largest singular value.
    #[must_use]
    pub fn spectral_norm(&self) -> f64 {
        self.singular_values.first().copied().unwrap_or(0.0)
    }

    /// Returns the Frobenius norm `‖W‖_F`.
    #[must_use]
    pub fn frobenius_norm(&self) -> f64 {
        crate::vector::norm(&self.singular_values)
    }
}

/// Returns the spectrum of each weight matrix of `model`, in the order of its parameters.
///
/// Singular values are those of the weights in f64, off by rounding: a few `10⁻¹⁶ ‖W‖₂`. Those
/// below it count as zero, and play no part in the tail. Cost: no data; some `m n²` operations for
/// a matrix of m × n entries, n the smaller.
///
/// # Errors
/// A model without a trainable parameter, weights that are not finite, and a decomposition that
/// fails.
///
/// # Examples
/// ```
/// use burn::module::Param;
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use landscape::weights::spectra;
///
/// let device = Device::flex();
/// let mut model = LinearConfig::new(2, 3).init(&device);
/// let weight = Tensor::<2>::from_floats([[3.0, 0.0, 0.0], [0.0, 0.0, -4.0]], &device);
/// model.weight = Param::from_tensor(weight);
/// let found = spectra(&model)?;
/// assert_eq!((found[0].rows, found[0].columns), (3, 2));
/// assert!((found[0].spectral_norm() - 4.0).abs() < 1e-12);
/// assert!((found[0].stable_rank.unwrap() - 25.0 / 16.0).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn spectra<M: Module>(model: &M) -> Result<Vec<WeightSpectrum>, Error> {
    let space = ParameterSpace::of(model)?;
    let theta = weights(&space, model, || "the model".to_owned())?;
    let matrices = space
        .blocks
        .iter()
        .filter(|block| block.filter_axis.is_some());
    matrices
        .map(|block| spectrum(block, &theta[block.range()]))
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^53 weights"
)]
fn spectrum(block: &Block, weights: &[f64]) -> Result<WeightSpectrum, Error> {
    let rows: Vec<Vec<f64>> = block
        .filters()
        .map(|filter| {
            let parts = filter.into_iter().flat_map(|range| &weights[range]);
            parts.copied().collect()
        })
        .collect();
    let (count, columns) = (rows.len(), rows.first().map_or(0, Vec::len));
    let singular_values = Mat::from_fn(count, columns, |i, j| rows[i][j])
        .singular_values()
        .map_err(|error| Error::Decomposition {
            dim: count.min(columns),
            reason: format!("{error:?}"),
        })?;
    let largest = singular_values.first().copied().unwrap_or(0.0);
    let squares: Vec<f64> = singular_values.iter().map(|value| value * value).collect();
    // A singular value is off by some rounding of the largest, times the root of the dimension.
    let zero = largest * f64::EPSILON * (count.max(columns) as f64).sqrt();
    let nonzero = |value: &&f64| **value > zero * zero;
    let eigenvalues: Vec<f64> = squares.iter().filter(nonzero).copied().collect();
    let stable = squares
        .iter()
        .map(|square| square / (largest * largest))
        .sum();
    Ok(WeightSpectrum {
        path: block.path.clone(),
        layer: block.layer.clone(),
        rows: count,
        columns,
        stable_rank: (largest > 0.0).then_some(stable),
        tail: power_law(&eigenvalues)?,
        singular_values,
    })
}
